/** From paths that a user names to runs, curves and maps. The formats are in the files beside this one. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { ReportError } from '../errors.js';
import type { CollectionsModel, EmbeddingMapModel, RunModel, TrainingModel } from '../model.js';
import { readCollections } from './collections.js';
import { besideNpy, readNpyMap, readSection } from './embeddings.js';
import {
  isDemo,
  isEvaluation,
  isObject,
  isSuite,
  readDemo,
  readEvaluation,
  readSuite,
  type TrainedWith,
} from './evaluation.js';
import { expectedRuns, readJson, reasonOf } from './text-file.js';
import { metricsFile, readTrainedWith, readTraining } from './training.js';

/** A run of a sweep: its settings, which repeat the figures of the evaluation beside them. */
const [sweepRun, sweepEvaluation] = ['run.json', 'evaluation.json'];

/** What was found, labels not yet unique. */
export interface Found {
  readonly runs: RunModel[];
  readonly trainings: TrainingModel[];
  readonly embeddings: EmbeddingMapModel[];
  readonly collections: CollectionsModel[];
}

const deepest = 4;
/** Folders of a run that hold weights, not results. */
const passedOver = new Set(['checkpoints', 'model', 'node_modules']);
/** Files of models and packages, some of them large. */
const notRuns =
  /^(config|tokenizer.*|vocab|special_tokens_map|modules|package.*|tsconfig.*|.*\.index)\.json$/;

/**
 * Reads every path. A file that is named must be a run; in a folder, files that are something else are left
 * out, with a notice where they look broken; if nothing else is there, what is wrong with the first is the error.
 *
 * @throws ReportError `INPUT_RUN`, `INPUT_EMBEDDINGS`; ModelError for a damaged .npy
 */
export async function findRuns(
  paths: readonly string[],
  onNotice: (line: string) => void = () => undefined,
): Promise<Found> {
  const found: Found = { runs: [], trainings: [], embeddings: [], collections: [] };
  for (const path of paths) {
    const before = count(found);
    const leftOut: Error[] = [];
    const info = await stat(path).catch((error: unknown) => {
      throw new ReportError('INPUT_RUN', `${path}: ${reasonOf(error)}; ${expectedRuns}`, { cause: error });
    });
    if (info.isDirectory()) await readFolder(path, leftOut, 0);
    else await readNamed(path);
    if (count(found) === before) {
      throw leftOut[0] ?? new ReportError('INPUT_RUN', `${path}: holds no run; ${expectedRuns}`);
    }
    for (const { message } of leftOut) onNotice(`left out: ${message}`);
  }
  return found;

  async function readNamed(path: string): Promise<void> {
    if (basename(path) === metricsFile) {
      const folder = resolve(path, '..');
      found.trainings.push(await readTraining(folder, basename(folder)));
    } else if (/\.npy$/i.test(path)) {
      found.embeddings.push(await readNpyMap(path, basename(path).replace(/\.npy$/i, '')));
    } else if (!(await readReport(await readJson(path), path))) {
      throw new ReportError('INPUT_RUN', `${path}: is JSON, but no report; ${expectedRuns}`);
    }
  }

  async function readFolder(
    folder: string,
    leftOut: Error[],
    depth: number,
    outer?: TrainedWith,
  ): Promise<void> {
    const entries = await readdir(folder, { withFileTypes: true });
    entries.sort((a, b) => inOrder(a.name, b.name));
    const names = new Set(entries.map(({ name }) => name));
    let training = outer;
    if (names.has(metricsFile)) {
      const label = basename(resolve(folder));
      training = await readTrainedWith(folder, label);
      // A run that has just begun, or failed before its first update, has none yet.
      const curves = await readTraining(folder, label).catch((error: unknown) => {
        if (!(error instanceof ReportError)) throw error;
        leftOut.push(error);
      });
      if (curves) found.trainings.push(curves);
    }
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (depth < deepest && !passedOver.has(entry.name) && !entry.name.startsWith('.'))
          await readFolder(path, leftOut, depth + 1, training);
      } else if (/\.npy$/i.test(entry.name)) {
        if (names.has(basename(besideNpy(path).langs)))
          found.embeddings.push(
            await readNpyMap(path, mapLabel(entry.name.replace(/\.npy$/i, ''), training)),
          );
      } else if (
        /\.json$/i.test(entry.name) &&
        !notRuns.test(entry.name) &&
        !(entry.name === sweepRun && names.has(sweepEvaluation))
      ) {
        const json = await readJson(path).catch((error: Error) => {
          leftOut.push(error);
        });
        await readReport(json, path, training);
      }
    }
  }

  /** Whether there was something to read. */
  async function readReport(json: unknown, path: string, training?: TrainedWith): Promise<boolean> {
    let label = basename(path).replace(/\.json$/i, '');
    const demo = isDemo(json);
    const suite = !demo && isSuite(json);
    const evaluated = !demo && !suite && isEvaluation(json);
    if (demo) found.runs.push(...readDemo(json, path));
    if (suite) found.runs.push(...readSuite(json, path, training));
    if (evaluated) {
      const run = readEvaluation(json, path, training);
      found.runs.push(run);
      label = run.label;
    }
    const collections = demo || suite || evaluated ? [] : readCollections(json, path);
    found.collections.push(...collections);
    const embeddings = isObject(json) ? json.embeddings : undefined;
    if (isObject(embeddings)) found.embeddings.push(await readSection(embeddings, path, label));
    return demo || suite || evaluated || collections.length > 0 || isObject(embeddings);
  }
}

/** `alpha-0.json`, `alpha-0.25.json`, `alpha-0.5.json`; `run-2` before `run-10`. */
export function inOrder(a: string, b: string): number {
  const [left, right] = [parts(a), parts(b)];
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const [one, other] = [left[at]!, right[at]!];
    // Every second part is a number.
    const order = at % 2 === 1 ? Number(one) - Number(other) : Number(one > other) - Number(one < other);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function parts(name: string): string[] {
  return name.replace(/\.[a-z]+$/i, '').split(/(\d+(?:\.\d+)?)/);
}

function mapLabel(name: string, training?: TrainedWith): string {
  return training ? `${training.label}: ${name}` : name;
}

function count({ runs, trainings, embeddings, collections }: Found): number {
  return runs.length + trainings.length + embeddings.length + collections.length;
}

/** Tells equal labels apart by the folder or file they came from, or by a number. */
export function uniqueLabels<
  T extends { readonly label: string; readonly file?: string; readonly task?: string },
>(items: readonly T[]): T[] {
  const used = new Set<string>();
  const key = (label: string, task = '') => JSON.stringify([label, task]);
  return items.map((item) => {
    const alike = items.filter(({ label, task }) => label === item.label && task === item.task);
    const place = placeOf(item.file, alike);
    const stem = place ? `${item.label} (${place})` : item.label;
    let label = stem;
    for (let number = 2; used.has(key(label, item.task)); number++) label = `${stem} (${number})`;
    used.add(key(label, item.task));
    return { ...item, label };
  });
}

/** The shortest name of a place in which items of one label differ; none for a single item. */
function placeOf(file: string | undefined, alike: readonly { readonly file?: string }[]): string | undefined {
  if (file === undefined || alike.length < 2) return undefined;
  const folder = (path: string | undefined) => basename(dirname(resolve(path ?? '')));
  const name = (path: string | undefined) => basename(path ?? '');
  const namings = [folder, name];
  const naming = namings.find((of) => new Set(alike.map((item) => of(item.file))).size === alike.length);
  return naming ? naming(file) : file;
}
