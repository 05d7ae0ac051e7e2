/** Writes TREC runs and judgments as they come, whole or not at all, gzipped where the name ends in `.gz`. */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { EvaluationError, outputError } from '../errors.js';
import type { Qrels } from '../trec/files.js';

/** One query's ranking. */
export interface RunRanking {
  readonly query: string;
  /** Documents and their scores, best first. */
  readonly ids: readonly string[];
  readonly scores: ArrayLike<number>;
}

/**
 * Writes a run, lines of `topic Q0 document rank score tag`, query by query as `rankings` yields them. Scores
 * are written so that reading them gives the same number; readers rank by score and not by rank.
 *
 * @param tag - name of the system, without white space
 * @throws EvaluationError `INPUT_TREC` for an id or tag that the format cannot hold or a score that is NaN;
 *   `INPUT_OUTPUT` when the file cannot be written. A file of that name stays as it was in both cases.
 */
export async function writeRun(
  file: string,
  rankings: Iterable<RunRanking> | AsyncIterable<RunRanking>,
  tag = 'synglot',
): Promise<void> {
  const field = (value: string) => checked(value, file);
  await writeLines(
    file,
    (async function* () {
      for await (const { query, ids, scores } of rankings) {
        let text = '';
        for (const [index, id] of ids.entries()) {
          const score = scores[index]!;
          if (Number.isNaN(score)) {
            throw new EvaluationError(
              'INPUT_TREC',
              `${file}: the score of document "${id}" of query "${query}" is NaN, which has no rank.`,
            );
          }
          text += `${field(query)} Q0 ${field(id)} ${index + 1} ${score} ${field(tag)}\n`;
        }
        yield text;
      }
    })(),
  );
}

/** Writes judgments, lines of `topic 0 document grade`. Errors as in {@link writeRun}. */
export async function writeQrels(file: string, qrels: Qrels): Promise<void> {
  const field = (value: string) => checked(value, file);
  await writeLines(
    file,
    (function* () {
      for (const [topic, judgments] of qrels) {
        let text = '';
        for (const [id, grade] of judgments) text += `${field(topic)} 0 ${field(id)} ${grade}\n`;
        yield text;
      }
    })(),
  );
}

/**
 * Checks ids before hours of work, and not when they are written.
 *
 * @param file - that is named for those that do not say where they stand
 * @throws EvaluationError `INPUT_TREC` for an id that the format cannot hold
 */
export async function checkTrecIds(
  items: Iterable<Identified> | AsyncIterable<Identified>,
  file: string,
): Promise<void> {
  for await (const { id, where } of items) checked(id, where ?? file);
}

interface Identified {
  readonly id: string;
  readonly where?: string;
}

function checked(value: string, where: string): string {
  if (/^$|^#|[\s\0]/.test(value)) {
    throw new EvaluationError(
      'INPUT_TREC',
      `${where}: "${value}" cannot stand in a TREC file, whose fields are not empty, hold no white space and begin with no "#"; rename it`,
    );
  }
  return value;
}

async function writeLines(file: string, lines: Iterable<string> | AsyncIterable<string>): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    const target = createWriteStream(temporary);
    const source = Readable.from(lines);
    await (file.endsWith('.gz') ? pipeline(source, createGzip(), target) : pipeline(source, target));
    await rename(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw cause instanceof EvaluationError ? cause : outputError(file, cause);
  }
}
