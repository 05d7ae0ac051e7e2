/**
 * What a run tells its user before the first update: what is in the data, and which settings do less than they
 * seem to.
 */
import type { TrainingSet } from '@synglot/data';
import type { RetrievalUse } from '@synglot/models';
import { freshModel } from './config/fresh-model.js';
import { optimizerSection } from './config/optimizer.js';
import { trainingSection } from './config/training.js';
import type { TrainConfig } from './config.js';

/** Most languages whose counts a notice lists. */
const listed = 12;

/** `data: 155 pairs; in one language: de 150, en 155; …`: what a training set holds, in one line. */
export function describeData(training: TrainingSet, validation?: TrainingSet): string {
  const counts = new Map<string, number>();
  let crossOnly = 0;
  for (const { query, passage } of training.items) {
    const answered = new Set(training.languagesOf(training.passages[passage]!));
    const both = training.languagesOf(training.queries[query]!).filter((lang) => answered.has(lang));
    for (const lang of both) {
      const code = training.languages[lang]!;
      counts.set(code, (counts.get(code) ?? 0) + 1);
    }
    if (both.length === 0) crossOnly += 1;
  }
  const byCount = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const named = byCount.slice(0, listed).map(([lang, count]) => `${lang} ${count}`);
  if (byCount.length > listed) named.push(`${byCount.length - listed} languages more`);
  return [
    `data: ${training.items.length} pairs`,
    ...(named.length > 0 ? [`in one language: ${named.join(', ')}`] : []),
    ...(crossOnly > 0 ? [`only across languages: ${crossOnly}`] : []),
    ...(validation ? [`for validation: ${validation.items.length}`] : []),
  ].join('; ');
}

/**
 * Lines about settings that do less than they seem to.
 *
 * @param cosine whether scores are cosines, not dot products of any size
 */
export function idleSettings(
  config: TrainConfig,
  training: TrainingSet,
  maxLength: number,
  cosine = true,
): string[] {
  const lines: string[] = [];
  const { query_max_length, passage_max_length } = config.text;
  const longer = Object.entries({ query_max_length, passage_max_length }).filter(
    ([, value]) => value > maxLength,
  );
  if (longer.length > 0) {
    const asked = longer.map(([key, value]) => `text.${key} ${value}`).join(' and ');
    lines.push(
      `lengths: texts are cut at ${maxLength} tokens, the most that the model takes, and not at ${asked}`,
    );
  }
  const { steps, warmup } = config.training;
  if (warmup >= steps && warmup > 1) {
    lines.push(
      `training.warmup ${warmup}: the learning rate is still rising at the last of ${steps} updates; below 1 it is a share of them`,
    );
  }
  const { temperature } = config.loss;
  if (temperature > 1 && cosine) {
    lines.push(
      `loss.temperature ${temperature}: cosines are divided by it, and all passages then score about alike; a scale of sentence-transformers is 1 / temperature`,
    );
  }
  lines.push(...unreadSettings(config).map(([key, where]) => `${key}: nothing comes of it ${where}`));
  const { measure = 'loss', setting, questions } = config.validation ?? {};
  const ofMeasures = Object.entries({ setting, questions }).find(([, value]) => value !== undefined);
  if (measure === 'loss' && ofMeasures) {
    lines.push(
      `validation.${ofMeasures.join(' ')}: nothing comes of it where the loss says what is best; name a measure, such as validation.measure: mAP`,
    );
  }
  const { mining } = config;
  const { batch_size: pairs, negatives } = config.sampling;
  const wanting = (['mining', 'margin_mse'] as const).filter((section) => config[section] !== undefined);
  if (negatives === 0 && wanting.length > 0) {
    lines.push(
      `sampling.negatives 0: no batch has hard negatives, and nothing comes of ${wanting.join(' and ')}; raise it`,
    );
  }
  if (mining && mining.start >= steps) {
    lines.push(
      `mining.start ${mining.start}: after the last of ${steps} updates, nothing is mined; lower it`,
    );
  }
  const hard = mining !== undefined || training.items.some((item) => item.negatives.length > 0);
  if (negatives !== undefined && negatives > 0 && !hard) {
    lines.push(`sampling.negatives ${negatives}: the data have no hard negatives, and none are mined`);
  }
  if (pairs === 1 && (negatives === 0 || !hard)) {
    lines.push(
      'sampling.batch_size 1: one pair has no in-batch negatives, and there are no hard ones: the contrastive loss is always 0; raise it',
    );
  }
  return lines;
}

/** Settings that another one keeps from being read, and where. What has its default was not asked for. */
function unreadSettings(config: TrainConfig): (readonly [key: string, where: string])[] {
  const { fresh_model, model, optimizer, training, sampling, validation, adversarial, mining } = config;
  const isChanged = (value: unknown, byDefault: unknown) =>
    JSON.stringify(value) !== JSON.stringify(byDefault);
  const { betas, epsilon } = optimizerSection.parse({});
  const { steps, freeze = [] } = training;
  const { every = 1, patience } = validation ?? {};
  const validations = Math.ceil(steps / every);
  const unread: [boolean, key: string, where: string][] = [
    [fresh_model !== undefined && model !== freshModel, 'fresh_model', 'where model is not fresh'],
    [optimizer.name === 'sgd' && isChanged(optimizer.betas, betas), 'optimizer.betas', 'with sgd'],
    [optimizer.name === 'sgd' && isChanged(optimizer.epsilon, epsilon), 'optimizer.epsilon', 'with sgd'],
    [
      training.precision === 'f32' &&
        isChanged(training.loss_scale, trainingSection.parse({ steps }).loss_scale),
      'training.loss_scale',
      'with training.precision f32',
    ],
    [
      sampling.mode === 'monolingual' && sampling.only_pairs !== undefined,
      'sampling.only_pairs',
      'where every batch is monolingual',
    ],
    [
      ['monolingual', 'multilingual'].includes(sampling.mode) && sampling.language_pair === 'per-batch',
      'sampling.language_pair per-batch',
      'where no batch is cross-lingual',
    ],
    [
      validation?.measure === 'rank-distance' && validation.setting !== undefined,
      'validation.setting',
      'with validation.measure rank-distance, which is of the multilingual pool',
    ],
    [
      patience !== undefined && patience >= validations - 1,
      `validation.patience ${patience}`,
      `in ${validations} validations; lower it, or validation.every`,
    ],
    [
      adversarial !== undefined && adversarial.schedule !== 'ganin' && adversarial.gamma !== 10,
      'adversarial.gamma',
      `with adversarial.schedule ${adversarial?.schedule}`,
    ],
    [mining?.sampling === 'top' && mining.seed !== undefined, 'mining.seed', 'with mining.sampling top'],
    ...freeze.map(({ from }, index): [boolean, string, string] => [
      from >= steps,
      `training.freeze.${index}`,
      `in ${steps} updates: it begins after ${from}`,
    ]),
  ];
  return unread.filter(([isUnread]) => isUnread).map(([, key, where]) => [key, where]);
}

/** A line that says so if the model's own prompts are put before the texts. */
export function ownPrompts({ text }: TrainConfig, { query, passage }: RetrievalUse): string[] {
  const own = [
    ...(text.query_prefix === undefined && query ? [`questions begin with ${JSON.stringify(query)}`] : []),
    ...(text.passage_prefix === undefined && passage ? [`passages with ${JSON.stringify(passage)}`] : []),
  ];
  if (own.length === 0) return [];
  return [`prompts of the model: ${own.join(', ')}; text.query_prefix and text.passage_prefix set others`];
}
