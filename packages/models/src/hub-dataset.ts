/**
 * Copies files of dataset repositories on the Hugging Face hub into a folder, under names that the caller chooses. A
 * file that is there is not fetched again. Which benchmark needs which repository is a table elsewhere.
 */
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { datasetInfo, listFiles } from '@huggingface/hub';
import { ModelError } from './errors.js';
import { isFile, writeError } from './files.js';
import {
  fetchBlob,
  type HubFile,
  type HubOptions,
  type HubSource,
  hubAccess,
  hubFailure,
  isOffline,
} from './hub.js';

/** What to take of one repository. */
export interface DatasetRequest {
  /** `owner/name` of a dataset repository. */
  readonly repository: string;
  /** Path below the output folder for a file of the repository, or undefined to leave it. */
  readonly place: (path: string) => string | undefined;
}

/** Paths below the output folder. */
export interface FetchedFiles {
  readonly fetched: readonly string[];
  /** Those that were there already. */
  readonly kept: readonly string[];
}

/**
 * Fetches the wanted files of every repository into `folder`. A file arrives whole, with its digest checked,
 * or not at all; run again, it goes on where it stopped.
 *
 * @throws ModelError `INPUT_DATA` if a repository cannot be fetched or has none of the files; `INPUT_DISK`
 */
export async function fetchDatasets(
  requests: readonly DatasetRequest[],
  folder: string,
  options: HubOptions = {},
): Promise<FetchedFiles> {
  const fetched: string[] = [];
  const kept: string[] = [];
  for (const { repository, place } of requests) {
    const fail = (why: string, cause?: unknown) =>
      new ModelError('INPUT_DATA', `${repository}: ${why}; or put its files into ${folder} yourself`, {
        cause,
      });
    if (isOffline(options)) throw fail('HF_HUB_OFFLINE forbids the network');
    try {
      const { source, files } = await listed(repository, options);
      const wanted = files.flatMap((entry) => {
        const to = place(entry.path);
        if (entry.type !== 'file' || to === undefined) return [];
        if (to.split(/[\\/]/).includes('..')) throw fail(`lists a file outside itself, ${entry.path}`);
        return [{ entry, to }];
      });
      if (wanted.length === 0) throw fail('has none of the files that this benchmark is made of');
      const totalBytes = wanted.reduce((sum, { entry }) => sum + entry.size, 0);
      let doneBytes = 0;
      for (const { entry, to } of wanted) {
        const path = join(folder, to);
        const report = (count: number) => {
          doneBytes += count;
          options.onProgress?.({ file: entry.path, doneBytes, totalBytes });
        };
        if (await isFile(path)) {
          kept.push(to);
          report(entry.size);
          continue;
        }
        await mkdir(dirname(path), { recursive: true });
        await fetchBlob(source, entry, path, report);
        fetched.push(to);
      }
    } catch (error) {
      const written = writeError(join(folder, repository), error);
      if (written instanceof ModelError) throw written;
      throw fail(hubFailure(error), error);
    }
  }
  return { fetched, kept };
}

async function listed(name: string, options: HubOptions): Promise<{ source: HubSource; files: HubFile[] }> {
  const access = hubAccess(options);
  const revision = options.revision ?? 'main';
  const { sha } = await datasetInfo({ ...access, name, revision, additionalFields: ['sha'] });
  const source: HubSource = { ...access, repo: { type: 'dataset', name }, revision: sha };
  const files: HubFile[] = [];
  for await (const entry of listFiles({ ...source, recursive: true })) files.push(entry);
  return { source, files };
}
