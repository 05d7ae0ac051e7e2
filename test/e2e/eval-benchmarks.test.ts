/**
 * `synglot index`, `search` and `eval` on small collections made here: a kill half-way, the same figures from
 * a model and from its embeddings, suites, and mistakes in one line.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EmbeddingStore } from '@synglot/eval/files';
import { writeNpy } from '@synglot/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli, runCliWell, startCli } from '../support/cli.js';
import { saveTinyModel, testFolder, tinyDocuments, tinyPairs, writeBeir, writeJsonl } from './support.js';

let folder: Awaited<ReturnType<typeof testFolder>>;
let model: string;
const inPlace = (name: string) => join(folder.path, name);
const env = { SYNGLOT_DEVICE: process.env.SYNGLOT_DEVICE ?? 'swiftshader' };

beforeAll(async () => {
  folder = await testFolder('benchmarks');
  model = inPlace('model');
  await saveTinyModel(model);
});
afterAll(() => folder.remove());

describe('a killed encoding', () => {
  // Six appends, as no more than 65,536 characters are encoded at a time.
  const count = 12_000;
  const index = (store: string) => [
    'index',
    ...['--model', model, '--corpus', inPlace('large.jsonl'), '--store', inPlace(store)],
    ...['--commit-seconds', '0'],
  ];
  const committed = async (store: string) => {
    const lines = (await readFile(join(inPlace(store), 'index.jsonl'), 'utf8').catch(() => '')).split('\n');
    return lines.slice(0, -1).map((line) => JSON.parse(line) as { ids: string[] });
  };

  it('goes on without encoding anything twice, to the embeddings of an unbroken run', async () => {
    await writeJsonl(inPlace('large.jsonl'), tinyDocuments(count));
    let rows = 0;
    for (let kill = 0; kill < 2; kill++) {
      const { child, done } = startCli(index('killed'), { env });
      // Killed as soon as it has written something that it had not before.
      for (let seen = rows; seen === rows && child.exitCode === null; await sleep(5)) {
        seen = (await committed('killed')).flatMap(({ ids }) => ids).length;
        if (seen > rows) child.kill('SIGKILL');
      }
      const { signal } = await done;
      const now = (await committed('killed')).flatMap(({ ids }) => ids).length;
      expect(now).toBeGreaterThan(rows);
      expect(signal).toBe('SIGKILL');
      rows = now;
    }
    const before = await committed('killed');
    const kept = before.flatMap(({ ids }) => ids).length;
    expect(kept).toBeLessThan(count);
    const { stdout } = await runCliWell(index('killed'), { env });
    expect(stdout).toContain(`${count} passages, ${count - kept} encoded now`);
    const after = await committed('killed');
    expect(after.slice(0, before.length)).toEqual(before);
    expect(new Set(after.flatMap(({ ids }) => ids)).size).toBe(count);

    const again = await runCliWell(index('killed'), { env });
    expect(again.stdout).toContain(`${count} passages, 0 encoded now`);
    await runCliWell(index('unbroken'), { env });
    const killed = await EmbeddingStore.open(inPlace('killed'), { verify: true });
    const unbroken = await EmbeddingStore.open(inPlace('unbroken'), { verify: true });
    const dimension = killed.dimension;
    const [a, b] = [new Float32Array(count * dimension), new Float32Array(count * dimension)];
    await killed.read(0, count, a);
    await unbroken.read(0, count, b);
    let worst = 0;
    for (let place = 0; place < count; place++) {
      const [rowA, rowB] = [killed.rowOf(place)!, unbroken.rowOf(place)!];
      expect(killed.id(rowA)).toBe(unbroken.id(rowB));
      for (let d = 0; d < dimension; d++) {
        worst = Math.max(worst, Math.abs(a[rowA * dimension + d]! - b[rowB * dimension + d]!));
      }
    }
    expect(worst).toBeLessThan(1e-6);
    await killed.close();
    await unbroken.close();
  });
});

describe('synglot eval', () => {
  it('ranks a document that is the query first, keeps the store, and writes run and report', async () => {
    const root = await writeBeir(inPlace('beir'));
    const run = inPlace('beir.run');
    const json = inPlace('beir.json');
    const args = ['eval', '--task', 'beir', '--data', root, '--model', model, '--json', json];
    await runCliWell([...args, '--save-run', run, '--store', inPlace('stores')], { env });
    const { reports } = JSON.parse(await readFile(json, 'utf8')) as {
      reports: { means: Record<string, number>; queries: number; documents: number }[];
    };
    expect(reports[0]).toMatchObject({ queries: 8, documents: 30, means: { 'nDCG@10': 1, 'Recall@100': 1 } });
    const lines = (await readFile(run, 'utf8')).trimEnd().split('\n');
    expect(lines).toHaveLength(8 * 30);
    expect(lines[0]).toMatch(/^q0 Q0 d0 1 (0\.99999\d*|1(\.00000\d*)?) synglot$/);

    // The same search from the store alone, and from matrices.
    await runCliWell(
      [
        'search',
        ...['--store', inPlace('stores/beir-test'), '--queries', join(root, 'queries.jsonl')],
        ...['--model', model, '--top-k', '30', '--save-run', inPlace('search.run')],
      ],
      { env },
    );
    expect(await readFile(inPlace('search.run'), 'utf8')).toBe(await readFile(run, 'utf8'));
    for (const [name, file] of [
      ['passages', 'corpus.jsonl'],
      ['questions', 'queries.jsonl'],
    ] as const) {
      const texts = (await readFile(join(root, file), 'utf8')).trimEnd().split('\n');
      const lines = texts.map((line) => (JSON.parse(line) as { text: string }).text);
      await writeFile(inPlace(`${name}.txt`), `${lines.join('\n')}\n`);
      const encode = ['encode', '--model', model, '--input', inPlace(`${name}.txt`)];
      await runCliWell([...encode, '--output', inPlace(`${name}.npy`)], { env });
    }
    const given = ['eval', '--task', 'beir', '--data', root, '--json', inPlace('npy.json')];
    await runCliWell(
      [
        ...given,
        ...['--query-embeddings', inPlace('questions.npy')],
        ...['--passage-embeddings', inPlace('passages.npy')],
      ],
      { env },
    );
    const npy = JSON.parse(await readFile(inPlace('npy.json'), 'utf8')) as { reports: unknown[] };
    expect(npy.reports).toEqual(reports);
  });

  it("retrieves as many as --depth says beside the query's own document, found or not", async () => {
    const root = inPlace('own');
    await mkdir(join(root, 'qrels'), { recursive: true });
    const texts = (ids: readonly string[]) => ids.map((_id) => ({ _id, text: 'text' }));
    await writeJsonl(join(root, 'corpus.jsonl'), texts(['q0', 'a', 'b', 'c']));
    await writeJsonl(join(root, 'queries.jsonl'), texts(['q0', 'q1']));
    await writeFile(join(root, 'qrels/test.tsv'), 'q0\tb\t1\nq1\tb\t1\n');
    const vectors = (scores: readonly number[]) => [Float32Array.from(scores.flatMap((x) => [x, 0, 0, 0]))];
    await writeNpy(inPlace('own-q.npy'), 2, 4, vectors([1, 1]));
    await writeNpy(inPlace('own-d.npy'), 4, 4, vectors([4, 3, 2, 1]));
    const files = ['--query-embeddings', inPlace('own-q.npy'), '--passage-embeddings', inPlace('own-d.npy')];
    const measured = ['--depth', '2', '--measures', 'AP', '--json', inPlace('own.json')];
    const args = ['eval', '--task', 'beir', '--data', root, ...files, ...measured];
    await runCliWell([...args, '--save-run', inPlace('own.run')], { env });
    const { reports } = JSON.parse(await readFile(inPlace('own.json'), 'utf8')) as {
      reports: { per_query: unknown }[];
    };
    expect(reports[0]!.per_query).toEqual({ q0: { AP: 1 / 2 }, q1: { AP: 0 } });
    expect(await readFile(inPlace('own.run'), 'utf8')).toBe(
      'q0 Q0 a 1 3 synglot\nq0 Q0 b 2 2 synglot\nq1 Q0 q0 1 4 synglot\nq1 Q0 a 2 3 synglot\n',
    );
  });

  it('leaves nothing of a store that nobody asked for, not even after Ctrl-C', async () => {
    const root = await writeBeir(inPlace('stopped'));
    await writeJsonl(join(root, 'corpus.jsonl'), tinyDocuments(30_000));
    const temporary = inPlace('temporary');
    await mkdir(temporary);
    const { child, done } = startCli(['eval', '--task', 'beir', '--data', root, '--model', model], {
      env: { ...env, TMPDIR: temporary },
    });
    // Stopped as soon as it is there.
    for (let made = false; !made && child.exitCode === null; await sleep(5)) {
      const [store] = await readdir(temporary);
      made = store !== undefined && (await readdir(join(temporary, store))).length > 0;
      if (made) child.kill('SIGINT');
    }
    expect((await done).signal).toBe('SIGINT');
    expect(await readdir(temporary)).toEqual([]);
  });

  it('finds translations of a bitext whose sides are the same text, in both directions', async () => {
    const root = inPlace('tatoeba');
    await mkdir(root, { recursive: true });
    const lines = `${tinyPairs(12, ['de'])
      .map(({ passage }) => passage)
      .join('\n')}\n`;
    await writeFile(join(root, 'tatoeba.deu-eng.deu'), lines);
    await writeFile(join(root, 'tatoeba.deu-eng.eng'), lines);
    const args = ['eval', '--task', 'tatoeba', '--data', root, '--model', model];
    const { stdout } = await runCliWell(args, { env });
    expect(stdout).toMatch(/tatoeba-deu\s+12\s+1\.0000\s+1\.0000\s+1\.0000/);
  });

  it('puts the parallel benchmarks that are there into one table', async () => {
    const root = inPlace('suite');
    for (const name of ['xquad-r', 'mlqa-r']) {
      await mkdir(join(root, name), { recursive: true });
      for (const lang of ['de', 'en']) {
        const paragraphs = tinyPairs(4, [lang]).map(({ query, passage }, i) => ({
          context: passage,
          sentence_breaks: [[0, passage.length]],
          qas: [{ id: String(i), question: query, answers: [{ text: '', answer_start: 0 }] }],
        }));
        await writeFile(join(root, name, `${lang}.json`), JSON.stringify({ data: [{ paragraphs }] }));
      }
    }
    const args = ['eval', '--suite', 'mmm', '--data', root, '--model', model, '--json', inPlace('mmm.json')];
    const { stdout } = await runCliWell(args, { env });
    for (const name of ['xquad-r', 'mlqa-r']) {
      expect(stdout).toMatch(new RegExp(`^${name} +2 +8 +8 +AP +[\\d.]+ +[\\d.]+ +[\\d.]+ +[\\d.]+$`, 'm'));
    }
    expect(stdout).toContain('xquad-r LaBSE hybrid (published)');
    // Published figures are of all languages.
    const some = await runCliWell([...args, '--langs', 'de'], { env });
    expect(some.stdout).not.toContain('published');

    const one = ['eval', '--task', 'xquad-r', '--data', join(root, 'xquad-r'), '--model', model];
    const measured = await runCliWell([...one, '--measures', 'nDCG@3', '--rank-correlation'], { env });
    expect(measured.stdout).toMatch(/^mean rank correlation of translations: -?[01]\.\d{4}, 4 questions$/m);
    expect(measured.stdout).toMatch(/^run .* nDCG@3 mono +nDCG@3 cross +nDCG@3 multi +rank distance$/m);
    const { code, errorLines } = await runCli([...args, '--save-run', inPlace('x.run')], { env });
    expect([code, errorLines.at(-1)]).toEqual([
      2,
      'synglot: --save-run is not for --suite: it goes with one --task; leave it out',
    ]);
    const depth = await runCli([...one, '--depth', '3'], { env });
    expect(depth.errorLines.at(-1)).toContain('--depth: --task xquad-r ranks all passages');
  });

  it('writes the rankings of a parallel benchmark as runs that have the figures of its report', async () => {
    const json = inPlace('parallel.json');
    const at = ['--data', join(inPlace('suite'), 'xquad-r'), '--model', model];
    const saved = ['--save-run', inPlace('runs'), '--depth', '8', '--json', json];
    const args = ['eval', '--task', 'xquad-r', ...at, ...saved, '--measures', 'nDCG@3'];
    expect((await runCliWell(args, { env })).stdout).toContain('runs: 6 runs with their judgments');
    type Means = Record<string, Record<string, number>>;
    const report = JSON.parse(await readFile(json, 'utf8')) as {
      monolingual: Means;
      cross_lingual: Record<string, Means>;
      multilingual: Means;
    };
    for (const lang of ['de', 'en']) {
      for (const pool of ['de', 'en', 'all']) {
        const figures = {
          ...(pool === 'all' ? report.multilingual[lang] : report.cross_lingual[lang]![pool]),
          ...(pool === lang ? report.monolingual[lang] : {}),
        };
        const name = join(inPlace('runs'), `${lang}-${pool}`);
        const files = ['--qrels', `${name}.qrels`, '--run', `${name}.run`];
        const { stdout } = await runCliWell([
          'eval',
          ...files,
          '-m',
          'map',
          '-m',
          'ndcg_cut.3',
          '--format',
          'json',
        ]);
        const topics = Object.values(JSON.parse(stdout) as Record<string, Record<string, number>>);
        const mean = (key: string) => topics.reduce((sum, topic) => sum + topic[key]!, 0) / topics.length;
        expect(topics).toHaveLength(4);
        expect(mean('map'), name).toBeCloseTo(figures.AP!, 12);
        expect(mean('ndcg_cut_3'), name).toBeCloseTo(figures['nDCG@3']!, 12);
      }
    }
  });

  it('compares reports that have the values of every question', async () => {
    const at = ['--data', join(inPlace('suite'), 'xquad-r'), '--model', model];
    const task = ['eval', '--task', 'xquad-r', ...at];
    const [a, b] = [inPlace('a.json'), inPlace('b.json')];
    await runCliWell([...task, '--per-query', '--json', a, '--measures', 'nDCG@3'], { env });
    const shorter = ['--max-length', '4'];
    await runCliWell([...task, ...shorter, '--per-query', '--json', b, '--measures', 'nDCG@3'], { env });
    const { stdout } = await runCliWell(['compare', a, b, '--format', 'csv']);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => line.split(','));
    const settings = ['monolingual', 'cross-lingual', 'multilingual'];
    const figures = ['AP', 'nDCG@3'].flatMap((name) => settings.map((setting) => `${name} ${setting}`));
    figures.push('rank distance');
    expect(lines.slice(1).map(([system, figure]) => `${system}: ${figure}`)).toEqual(
      ['a', 'b'].flatMap((system) => figures.map((figure) => `${system}: ${figure}`)),
    );
    const { summary } = JSON.parse(await readFile(b, 'utf8')) as {
      summary: { measures: Record<string, Record<string, number>>; rank_distance: number };
    };
    const ofB = new Map(lines.filter(([system]) => system === 'b').map((line) => [line[1], Number(line[2])]));
    expect(ofB.get('AP cross-lingual')).toBeCloseTo(summary.measures.AP!.cross_lingual!, 12);
    expect(ofB.get('nDCG@3 multilingual')).toBeCloseTo(summary.measures['nDCG@3']!.multilingual!, 12);
    expect(ofB.get('rank distance')).toBeCloseTo(summary.rank_distance, 12);
    await runCliWell([...task, '--json', b], { env });
    const without = await runCli(['compare', a, b]);
    expect([without.code, without.errorLines]).toEqual([
      2,
      [`synglot: ${b}: has no values of single questions; evaluate again with --per-query.`],
    ]);
    const alone = await runCli([...task, '--per-query'], { env });
    expect(alone.errorLines.at(-1)).toContain('--per-query goes with --json');
  });

  it("judges Mewsli-X predictions, a missing one as 0, macro over the mentions' languages", async () => {
    const root = inPlace('mewsli');
    await mkdir(root, { recursive: true });
    const mention = (id: string, language: string) => ({
      context: { language, text: 'A mention.', sentence_spans: [[0, 10]] },
      mentions: [
        { example_id: id, entity_id: `Q${id}`, mention_span: { text: 'mention', start: 2, end: 9 } },
      ],
    });
    await writeJsonl(join(root, 'wikinews_mentions-test.jsonl'), [
      mention('1', 'de'),
      mention('2', 'de'),
      mention('3', 'tr'),
    ]);
    const entities = ['Q1', 'Q2', 'Q3'].map((entity_id) => ({ entity_id, title: '', description: 'text' }));
    await writeJsonl(join(root, 'candidate_set_entities.jsonl'), entities);
    await writeJsonl(inPlace('predictions.jsonl'), [{ 1: ['Q9', 'Q1'] }, { 3: ['Q3'] }]);
    const args = ['eval', '--task', 'mewsli-x', '--data', root];
    const { stdout } = await runCliWell([...args, '--predictions', inPlace('predictions.jsonl')], { env });
    expect(stdout).toMatch(/^mewsli-x-test +3 +3 +0\.6250$/m);
  });
});
