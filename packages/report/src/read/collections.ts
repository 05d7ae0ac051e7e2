/**
 * Reads evaluations that have no settings: judged collections (MIRACL, BEIR), bitexts (Tatoeba) and TREC runs, as
 * `synglot eval --json` writes them. Parallel benchmarks are in `evaluation.ts`.
 */
import { basename } from 'node:path';
import { z } from 'zod';
import type { CollectionModel, CollectionsModel } from '../model.js';
import { isObject } from './evaluation.js';
import { checked } from './text-file.js';

const interval = z.tuple([z.number(), z.number()]);
const header = { task: z.string().optional(), model: z.string().optional(), device: z.string().optional() };

const adHoc = z.object({
  ...header,
  reports: z.array(
    z.object({
      collection: z.string(),
      lang: z.string().nullable().default(null),
      queries: z.number(),
      documents: z.number(),
      means: z.record(z.string(), z.number()),
      intervals: z.record(z.string(), interval).default({}),
    }),
  ),
});

const bitext = z.object({
  ...header,
  reports: z.array(
    z.object({
      collection: z.string(),
      langs: z.tuple([z.string(), z.string()]),
      sentences: z.number(),
      accuracy_forward: z.number(),
      accuracy_backward: z.number(),
    }),
  ),
});

const trecRuns = z.array(
  z.object({
    run: z.string(),
    profile: z.string(),
    summary: z.record(z.string(), z.union([z.number(), z.string(), z.null()])),
    // As it is: a record of zod's would drop a topic called __proto__.
    per_topic: z.custom<object>(isObject, 'expected an object'),
  }),
);

/** The evaluations of judged collections, bitexts or runs in a JSON file; none if it is something else. */
export function readCollections(json: unknown, file: string): CollectionsModel[] {
  if (hasReports(json, 'means')) {
    const { task, reports, ...facts } = checked(adHoc, json, file);
    const collections = reports.map(
      (report): CollectionModel => ({
        name: report.collection,
        size: `${report.queries} queries, ${report.documents} documents`,
        means: report.means,
        intervals: report.intervals,
      }),
    );
    return [{ label: labelOf(facts.model, file), file, task: task ?? 'collections', collections }];
  }
  if (hasReports(json, 'accuracy_forward')) {
    const { task, reports, ...facts } = checked(bitext, json, file);
    const collections = reports.map(
      (report): CollectionModel => ({
        name: report.langs.join('–'),
        size: `${report.sentences} sentences`,
        means: {
          'accuracy, both directions': (report.accuracy_forward + report.accuracy_backward) / 2,
          'accuracy, first to second': report.accuracy_forward,
          'accuracy, second to first': report.accuracy_backward,
        },
        intervals: {},
      }),
    );
    return [{ label: labelOf(facts.model, file), file, task: task ?? 'bitexts', collections }];
  }
  if (Array.isArray(json) && json.length > 0 && json.every((entry) => isKeyed(entry, 'per_topic'))) {
    return checked(trecRuns, json, file).map(({ run, profile, summary, per_topic }) => ({
      label: run,
      file,
      task: 'TREC runs',
      collections: [
        {
          name: basename(file).replace(/\.json$/i, ''),
          size: `${Object.keys(per_topic).length} topics, profile ${profile}`,
          means: Object.fromEntries(
            Object.entries(summary).filter(
              (entry): entry is [string, number] => typeof entry[1] === 'number',
            ),
          ),
          intervals: {},
        },
      ],
    }));
  }
  return [];
}

function hasReports(json: unknown, key: string): boolean {
  const reports = isKeyed(json, 'reports') ? (json as { reports: unknown }).reports : undefined;
  return Array.isArray(reports) && reports.length > 0 && reports.every((report) => isKeyed(report, key));
}

function isKeyed(json: unknown, key: string): boolean {
  return typeof json === 'object' && json !== null && key in json;
}

function labelOf(model: string | undefined, file: string): string {
  return model ? basename(model) : basename(file).replace(/\.json$/i, '');
}
