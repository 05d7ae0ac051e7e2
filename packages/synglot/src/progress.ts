/** Progress on standard error: a bar in a terminal, else a line now and then. */
import { Presets, SingleBar } from 'cli-progress';

export interface Progress {
  update(done: number, note?: string): void;
  stop(): void;
}

/** Longest silence without a terminal: the log of a night's work stays short and never looks dead. */
const quietMs = 30_000;

/**
 * A bar with the time left; where standard error is no terminal, {@link progressLines}.
 *
 * @param total 0 where it is not known: then a count and no bar
 * @param before what was done when the bar begins: the time left is reckoned from there
 */
export function progressBar(label: string, total: number, unit: string, before = 0): Progress {
  if (!process.stderr.isTTY) return progressLines(label, total, unit);
  const bar = new SingleBar(
    {
      format:
        total > 0
          ? `${label} {bar} {value}/{total} ${unit} · {eta_formatted} left {note}`
          : `${label} {value} ${unit} {note}`,
      stream: process.stderr,
      // So that the loss of a training stands within 80 columns.
      barsize: 20,
      etaBuffer: 50,
      hideCursor: true,
      forceRedraw: true,
    },
    Presets.rect,
  );
  if (shown.size === 0) for (const signal of endings) process.prependListener(signal, onSignal);
  shown.add(bar);
  bar.start(total, before, { note: '' });
  return {
    update: (done, note = '') => bar.update(done, { note }),
    stop: () => stop(bar),
  };
}

function stop(bar: SingleBar): void {
  bar.stop();
  if (shown.delete(bar) && shown.size === 0) for (const signal of endings) process.off(signal, onSignal);
}

/** Stops the bars of work that an error has ended: one that is shown keeps the process from its end. */
export function stopBars(): void {
  for (const bar of [...shown]) stop(bar);
}

/**
 * Writes a line on standard error: where a bar is shown, above it. Text written past this would stand behind the bar, cut
 * where the line ends, and what is written after the bar's end would stand over it.
 */
export function tell(line: string): void {
  // The bar draws itself anew within a tenth of a second; its end returns to the place that is saved here.
  if (shown.size > 0) process.stderr.write(`\x1b[1G\x1b[0K\x1b[?7h${line}\n\x1b7\x1b[?7l`);
  else console.error(line);
}

/** Bars hide the cursor and let long lines be cut, until they are stopped. */
const shown = new Set<SingleBar>();
const endings = ['SIGINT', 'SIGTERM'] as const;

/** Leaves the terminal as it was, where the signal ends the process; with another listener it does not. */
function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  stopBars();
  process.kill(process.pid, signal);
}

/**
 * A line after half a minute and every half minute from then on: `encoding: 512 of 8192 texts`.
 *
 * @param total 0 where it is not known
 */
export function progressLines(
  label: string,
  total: number,
  unit: string,
  {
    now = () => performance.now(),
    write = (line: string) => console.error(line),
  }: { readonly now?: () => number; readonly write?: (line: string) => void } = {},
): Progress {
  let told = now();
  return {
    update: (done, note = '') => {
      if (now() - told < quietMs) return;
      told = now();
      write(`${label}: ${done}${total > 0 ? ` of ${total}` : ''} ${unit}${note ? ` ${note}` : ''}`);
    },
    stop: () => undefined,
  };
}
