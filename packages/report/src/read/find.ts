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

const npyEnding = /\.npy$/i;
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
    if (info.isDirectory()) await readFolder(path, found, leftOut);
    else await readNamed(path, found);
    if (count(found) === before) {
      throw leftOut[0] ?? new ReportError('INPUT_RUN', `${path}: holds no run; ${expectedRuns}`);
    }
    for (const { message } of leftOut) onNotice(`left out: ${message}`);
  }
  return found;
}

async function readNamed(path: string, found: Found): Promise<void> {
  if (basename(path) === metricsFile) {
    const folder = resolve(path, '..');
    found.trainings.push(await readTraining(folder, basename(folder)));
  } else if (npyEnding.test(path)) {
    found.embeddings.push(await readNpyMap(path, mapLabel(path)));
  } else if (!(await readReport(await readJson(path), path, found))) {
    throw new ReportError('INPUT_RUN', `${path}: is JSON, but no report; ${expectedRuns}`);
  }
}

/** @param outer the training whose folder this one is in */
async function readFolder(
  folder: string,
  found: Found,
  leftOut: Error[],
  depth = 0,
  outer?: TrainedWith,
): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  entries.sort((a, b) => inOrder(a.name, b.name));
  const names = new Set(entries.map(({ name }) => name));
  const training = names.has(metricsFile) ? await readRun(folder, found, leftOut) : outer;
  for (const entry of entries) {
    const { name } = entry;
    const path = join(folder, name);
    if (entry.isDirectory()) {
      const isSearched = depth < deepest && !passedOver.has(name) && !name.startsWith('.');
      if (isSearched) await readFolder(path, found, leftOut, depth + 1, training);
    } else if (npyEnding.test(name)) {
      const hasLanguages = names.has(basename(besideNpy(path).langs));
      if (hasLanguages) found.embeddings.push(await readNpyMap(path, mapLabel(path, training)));
    } else if (mayBeReport(name, names)) {
      const json = await readJson(path).catch((error: Error) => {
        leftOut.push(error);
      });
      await readReport(json, path, found, training);
    }
  }
}

/** Adds the curves of a run's folder; returns what its evaluations were trained with. */
async function readRun(folder: string, found: Found, leftOut: Error[]): Promise<TrainedWith | undefined> {
  const label = basename(resolve(folder));
  const training = await readTrainedWith(folder, label);
  // A run that has just begun, or failed before its first update, has no curves yet.
  const curves = await readTraining(folder, label).catch((error: unknown) => {
    if (!(error instanceof ReportError)) throw error;
    leftOut.push(error);
  });
  if (curves) found.trainings.push(curves);
  return training;
}

/** @param beside names of the folder */
function mayBeReport(name: string, beside: ReadonlySet<string>): boolean {
  const isRepeated = name === sweepRun && beside.has(sweepEvaluation);
  return /\.json$/i.test(name) && !notRuns.test(name) && !isRepeated;
}

/** Adds what a JSON file holds; whether that is anything. */
async function readReport(
  json: unknown,
  path: string,
  found: Found,
  training?: TrainedWith,
): Promise<boolean> {
  const runs = runsOf(json, path, training);
  const collections = runs ? [] : readCollections(json, path);
  const embeddings = isObject(json) && isObject(json.embeddings) ? json.embeddings : undefined;
  found.runs.push(...(runs ?? []));
  found.collections.push(...collections);
  const label = runs && isEvaluation(json) ? runs[0]!.label : basename(path).replace(/\.json$/i, '');
  if (embeddings) found.embeddings.push(await readSection(embeddings, path, label));
  return runs !== undefined || collections.length > 0 || embeddings !== undefined;
}

/** The runs of a file with the three settings; undefined if it is another. */
function runsOf(json: unknown, path: string, training?: TrainedWith): RunModel[] | undefined {
  if (isDemo(json)) return readDemo(json, path);
  if (isSuite(json)) return readSuite(json, path, training);
  return isEvaluation(json) ? [readEvaluation(json, path, training)] : undefined;
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

function mapLabel(path: string, training?: TrainedWith): string {
  const name = basename(path).replace(npyEnding, '');
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
