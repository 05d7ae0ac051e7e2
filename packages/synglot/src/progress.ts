/** Progress bars on standard error, for terminals only. */
import { Presets, SingleBar } from 'cli-progress';

export interface Progress {
  update(done: number, note?: string): void;
  stop(): void;
}

/** A bar with rate and time left; silent when standard error is no terminal. */
export function progressBar(label: string, total: number, unit: string): Progress {
  if (!process.stderr.isTTY) return { update: () => undefined, stop: () => undefined };
  const bar = new SingleBar(
    {
      format: `${label} {bar} {value}/{total} ${unit} · {eta_formatted} left {note}`,
      stream: process.stderr,
      etaBuffer: 50,
      hideCursor: true,
    },
    Presets.rect,
  );
  bar.start(total, 0, { note: '' });
  return {
    update: (done, note = '') => bar.update(done, { note }),
    stop: () => bar.stop(),
  };
}
