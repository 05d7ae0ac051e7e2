/** Reads the folder of a training run: its curves, and what its configuration says of α. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ReportError } from '../errors.js';
import type { CurveName, CurvePoint, TrainingModel } from '../model.js';
import { readWholeLines } from './text-file.js';

export const metricsFile = 'metrics.jsonl';
const curveNames: readonly CurveName[] = ['loss', 'validation_loss', 'learning_rate', 'gradient_norm'];
/** More points than this are joined: a phone has fewer pixels. */
const mostPoints = 800;

/**
 * Reads `metrics.jsonl`. A last line that is cut short, as a run in progress or a killed one leaves it, is
 * left out; values that are no numbers (a loss that is NaN is written as null) leave a gap.
 *
 * @throws ReportError `INPUT_RUN` with the line that is no metrics
 */
export async function readTraining(folder: string, label: string): Promise<TrainingModel> {
  const path = join(folder, metricsFile);
  const values = new Map<CurveName, [number, number][]>(curveNames.map((name) => [name, []]));
  let [lines, steps] = [0, 0];
  for await (const line of readWholeLines(path)) {
    lines += 1;
    const entry = parseLine(line, `${path}:${lines}`);
    steps = Math.max(steps, entry.step);
    for (const name of curveNames) {
      const value = entry[name];
      if (typeof value === 'number' && Number.isFinite(value)) values.get(name)!.push([entry.step, value]);
    }
  }
  if (lines === 0) {
    const reason = (await stat(path)).size > 0 ? 'holds no whole line yet' : 'is empty';
    throw new ReportError('INPUT_RUN', `${path}: ${reason}; expected a line for each update, train first`);
  }
  const curves = Object.fromEntries(curveNames.map((name) => [name, thin(values.get(name)!)]));
  return { label, steps, curves: curves as Record<CurveName, CurvePoint[]> };
}

function parseLine(line: string, where: string): Record<string, unknown> & { step: number } {
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch {
    entry = undefined;
  }
  const step = (entry as { step?: unknown } | undefined | null)?.step;
  if (typeof step !== 'number') {
    throw new ReportError(
      'INPUT_RUN',
      `${where}: no metrics of an update: expected {"step": …, "loss": …}, received '${line.slice(0, 60)}'`,
    );
  }
  return entry as Record<string, unknown> & { step: number };
}

/** Joins neighbours into their mean, least and greatest value until there are few enough points. */
export function thin(points: readonly [number, number][], most = mostPoints): CurvePoint[] {
  const size = Math.ceil(points.length / most);
  if (size <= 1) return points.map(([step, value]) => [step, short(value)]);
  const thinned: CurvePoint[] = [];
  for (let start = 0; start < points.length; start += size) {
    const group = points.slice(start, start + size);
    const values = group.map(([, value]) => value);
    const step = group.reduce((sum, [at]) => sum + at, 0) / group.length;
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    thinned.push([Math.round(step), short(mean), short(Math.min(...values)), short(Math.max(...values))]);
  }
  return thinned;
}

function short(value: number): number {
  return Number(value.toPrecision(6));
}

/** α and the model of a run's `config.json`; nothing where the file is missing or says nothing of them. */
export async function readTrainedWith(folder: string, label: string) {
  const text = await readFile(join(folder, 'config.json'), 'utf8').catch(() => undefined);
  let config: { model?: unknown; sampling?: { mode?: unknown; alpha?: unknown; mode_weights?: unknown } } =
    {};
  try {
    config = JSON.parse(text ?? '{}') ?? {};
  } catch {
    // Another program's file of that name: α stays unknown.
  }
  const { mode, alpha, mode_weights } = config.sampling ?? {};
  const series = typeof config.model === 'string' ? config.model : '';
  return { label, series, alpha: alphaOf(mode, alpha, mode_weights) };
}

/** As the sampler has it: α is the chance of a monolingual batch, else the batch is cross-lingual. */
function alphaOf(mode: unknown, alpha: unknown, modeWeights: unknown): number | null {
  if (mode === 'monolingual') return 1;
  if (mode === 'cross-lingual') return 0;
  if (mode !== 'hybrid' || modeWeights !== undefined) return null;
  return alpha === undefined ? 0.5 : typeof alpha === 'number' ? alpha : null;
}
