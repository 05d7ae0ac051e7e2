/** Processor time of the JavaScript thread, which Node 20 tells of the whole process only. For benchmarks. */
import { loadNative } from '@synglot/native';

/**
 * Nanoseconds of processor time that the calling thread has had so far; wall clock where the system counts none
 * by thread.
 *
 * @throws NativeUnavailableError where the native core cannot be loaded
 */
export function threadTimeNs(): number {
  return loadNative().threadTimeNs();
}
