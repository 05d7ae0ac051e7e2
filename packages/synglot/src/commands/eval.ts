/** `synglot eval`: one model, three settings and language bias, in one table. */
import { readXquadR } from '@synglot/data/files';
import {
  DeviceScorer,
  evaluateRetrieval,
  type ProfileName,
  pairMatrix,
  profiles,
  settingsTable,
} from '@synglot/eval';
import { writeJson } from '@synglot/eval/files';
import { EmbeddingModel, openCheckpoint, type TextInput } from '@synglot/models';
import { Command, Option } from 'commander';
import { progressBar } from '../progress.js';
import { type DeviceOptions, languageList, openDevice, wholeNumber, withDeviceOptions } from './options.js';

interface EvalOptions extends DeviceOptions {
  readonly task: 'xquad-r';
  readonly data: string;
  readonly model: string;
  readonly langs?: string[];
  readonly json?: string;
  readonly context: 'none' | 'paragraph';
  readonly profile: ProfileName;
  readonly queryPrefix?: string;
  readonly passagePrefix?: string;
  readonly maxLength?: number;
}

export function evalCommand(): Command {
  const command = new Command('eval')
    .description('retrieval in one language, across two, and in a mixed pool, with language bias')
    .addOption(new Option('--task <name>', 'benchmark').choices(['xquad-r']).makeOptionMandatory())
    .requiredOption('--data <folder>', "the benchmark's files as published")
    .requiredOption('--model <folder or hub id>', 'checkpoint')
    .option('--langs <list>', 'languages, as in en,de,ar,zh; default: all', languageList)
    .option('--json <file>', 'write the whole report, every language pair included')
    .addOption(
      new Option('--context <what>', 'encode a sentence alone or together with its paragraph, as LAReQA does')
        .choices(['none', 'paragraph'])
        .default('none'),
    )
    .addOption(
      new Option('--profile <name>', 'how ties and measures are defined')
        .choices(Object.keys(profiles))
        .default('trec_eval'),
    )
    .option('--query-prefix <text>', "put in front of questions; default: the model's")
    .option('--passage-prefix <text>', "put in front of candidates; default: the model's")
    .option('--max-length <tokens>', 'longest text in tokens', wholeNumber(3));
  return withDeviceOptions(command).action(async (options: EvalOptions) => {
    const collection = await readXquadR(options.data, options.langs ? { langs: options.langs } : {});
    const checkpoint = await openCheckpoint(options.model);
    const executor = await openDevice(options);
    try {
      const model = await EmbeddingModel.load(executor, checkpoint);
      const embed = async (label: string, texts: readonly TextInput[], prefix: string) => {
        const bar = progressBar(label, texts.length, 'texts');
        const vectors = await model.embed(texts, {
          prefix,
          onProgress: (done) => bar.update(done),
          ...(options.maxLength ? { maxLength: options.maxLength } : {}),
        });
        bar.stop();
        return vectors;
      };
      const queries = collection.queries.map(({ text }) => text);
      const candidates = collection.candidates.map(
        ({ text, context }): TextInput =>
          options.context === 'paragraph' && context ? { text, context } : text,
      );
      const { query = '', passage = '' } = checkpoint.prompts;
      const queryEmbeddings = await embed('questions', queries, options.queryPrefix ?? query);
      const candidateEmbeddings = await embed('candidates', candidates, options.passagePrefix ?? passage);
      const scorer = new DeviceScorer(executor);
      const report = await evaluateRetrieval({
        collection,
        queryEmbeddings,
        candidateEmbeddings,
        dimension: model.dimension,
        scorer,
        profile: options.profile,
      });
      scorer.destroy();
      const counts = collection.langs.map((lang) => `${lang} ${report.counts.candidates[lang]}`);
      console.log(`candidates: ${counts.join(', ')}`);
      console.log(
        settingsTable([{ label: options.model, summary: report.summary }], ['Recall@1', 'Recall@10']),
      );
      if (collection.langs.length > 1) console.log(pairMatrix(report));
      if (options.json) {
        const { task, model: name, context, data } = options;
        const { device } = executor;
        await writeJson(options.json, {
          task,
          model: name,
          context,
          data,
          device: device.name,
          executor: executor.kind,
          ...report,
        });
        console.log(`${options.json} written`);
      }
    } finally {
      executor.destroy();
    }
  });
}
