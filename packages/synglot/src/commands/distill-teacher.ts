/** `synglot distill-teacher`: a teacher's embeddings of training texts, computed once and stored. */
import { didYouMean } from '@synglot/data';
import { checkWritable, EmbeddingModel, openCheckpoint, retrievalUse } from '@synglot/models';
import {
  inTermsOfConfig,
  readConfig,
  readData,
  TrainError,
  teacherTexts,
  writeTeacher,
} from '@synglot/train';
import { Command } from 'commander';
import { embedTexts, hubProgress } from '../model-progress.js';
import {
  type DeviceOptions,
  openDevice,
  orDeviceOf,
  settingsOption,
  wholeNumber,
  withDeviceOptions,
} from './options.js';

interface DistillTeacherOptions extends DeviceOptions {
  readonly teacher: string;
  readonly output: string;
  readonly lang: string;
  readonly queryPrefix?: string;
  readonly passagePrefix?: string;
  readonly maxLength?: number;
  readonly set?: readonly string[];
}

const help = `
The texts are those of the configuration's data in one language, the teacher's; a text in another language
is trained towards the embedding of its version in that language. Name the folder in the configuration:

  synglot distill-teacher my-run.yaml --teacher MODEL --output teachers/my-run
  distillation: { teacher: teachers/my-run }`;

export function distillTeacherCommand(): Command {
  const command = new Command('distill-teacher')
    .description("store a teacher's embeddings of training texts, for distillation and margin_mse")
    .argument('<config>', 'YAML file of a training run; its data are read')
    .requiredOption('--teacher <folder or hub id>', 'checkpoint')
    .requiredOption('--output <folder>', 'folder to write: embeddings.npy, keys.txt, teacher.json')
    .option('--lang <code>', 'language of the texts that the teacher reads', 'en')
    .option('--query-prefix <text>', "put before questions; default: the teacher's own")
    .option('--passage-prefix <text>', "put before passages; default: the teacher's own")
    .option('--max-length <tokens>', 'longest text in tokens, special ones included', wholeNumber(3))
    .option(...settingsOption)
    .addHelpText('after', help);
  return withDeviceOptions(command).action(async (path: string, options: DistillTeacherOptions) => {
    checkWritable(options.output);
    const config = await readConfig(path, options.set);
    const checkpoint = await openCheckpoint(options.teacher, { onProgress: hubProgress() });
    const { training, validation } = await inTermsOfConfig('', () => readData(config, console.error));
    const sets = [training, ...(validation ? [validation] : [])];
    const texts = [
      ...new Map(
        sets.flatMap((set) => teacherTexts(set, options.lang)).map((text) => [text.key, text]),
      ).values(),
    ];
    if (texts.length === 0) {
      const { languages } = training;
      throw new TrainError(
        'INPUT_CONFIG',
        `--lang ${options.lang}: no text of ${path} is in this language${didYouMean(options.lang, languages)}; the data have ${[...languages].sort().join(', ')}`,
      );
    }
    const { query, passage } = retrievalUse(checkpoint, options.teacher);
    const prefixes = { query: options.queryPrefix ?? query, passage: options.passagePrefix ?? passage };
    const executor = await openDevice(orDeviceOf(options, config));
    try {
      const model = await EmbeddingModel.load(executor, checkpoint);
      const prefixed = texts.map(({ kind, text }) => prefixes[kind] + text);
      const { maxLength } = options;
      const vectors = await embedTexts(model, 'teacher', prefixed, maxLength ? { maxLength } : {});
      const info = {
        model: options.teacher,
        lang: options.lang,
        query_prefix: prefixes.query,
        passage_prefix: prefixes.passage,
      };
      await writeTeacher(options.output, info, texts, vectors);
      console.log(`${options.output}: ${texts.length} × ${model.dimension}`);
    } finally {
      executor.destroy();
    }
  });
}
