/** Processor time of the JavaScript thread; Node 20 reports that of the whole process only. For benchmarks. */
import { loadNative } from '@synglot/native';

/**
 * Nanoseconds of processor time that the calling thread has used so far; wall clock where the system does not count it
 * per thread.
 *
 * @throws NativeUnavailableError where the native core cannot be loaded
 */
export function threadTimeNs(): number {
  return loadNative().threadTimeNs();
}
