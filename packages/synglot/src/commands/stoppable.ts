/** Work that Ctrl-C ends in order. */

/**
 * Runs `work` until it ends or a signal stops it, between two of its steps; a second signal ends the process.
 *
 * @param stopped what is then told
 * @throws Error with code `STOPPED`
 */
export async function stoppable<T>(
  work: (signal: AbortSignal) => Promise<T>,
  stopped: () => string,
): Promise<T> {
  const controller = new AbortController();
  const stop = () => controller.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    return await work(controller.signal);
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    throw Object.assign(new Error(stopped(), { cause: error }), { code: 'STOPPED' });
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}
