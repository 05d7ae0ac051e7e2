/** From a configuration to the objectives of its run, and from their values to lines of metrics. */
import type { TrainingSet } from '@synglot/data';
import {
  type ContrastiveOptions,
  contrastive,
  languageDiscriminatorParameters,
  learnedTemperature,
  matryoshka,
  type ObjectiveValues,
  temperatureParameter,
} from '@synglot/nn';
import { placeIn } from './config/places.js';
import type { TrainConfig } from './config.js';
import { TrainError } from './errors.js';
import { adversarialObjectives } from './objective-languages.js';
import { marginMseObjective, scoredMargins, teacherMargins } from './objective-margins.js';
import { distillationObjective } from './objective-teacher.js';
import { masked, type TrainObjective } from './objectives.js';
import { checkTeacher, Teacher } from './teacher.js';
import type { StepMetrics } from './trainer.js';

/** What objectives depend on besides the configuration. */
export interface ObjectiveSetting {
  /** Of the embeddings. */
  readonly dimension: number;
  /** Whether embeddings must be normalised: the model does not do it, and its score is the cosine. */
  readonly normalize: boolean;
  readonly training: TrainingSet;
  readonly onNotice: (line: string) => void;
}

/** @throws TrainError `INPUT_CONFIG` for a teacher whose stored embeddings are not there */
export async function checkTeachers({ distillation, margin_mse: margins }: TrainConfig): Promise<void> {
  for (const [name, section] of Object.entries({ distillation, margin_mse: margins })) {
    const folder = section?.teacher;
    if (section && folder) await checkTeacher(folder, `${placeIn(section, 'teacher')}${name}.teacher`);
  }
}

/**
 * The objectives that the sections of a configuration ask for, in the order in which their gradients add up.
 *
 * @throws TrainError `INPUT_CONFIG` if a section does not fit the model or the data
 */
export async function runObjectives(
  config: TrainConfig,
  setting: ObjectiveSetting,
): Promise<TrainObjective[]> {
  return [
    ...contrastiveObjectives(config, setting),
    ...(await teacherObjectives(config, setting)),
    ...languageObjectives(config, setting),
  ];
}

async function teacherObjectives(
  { distillation, margin_mse: margins, mining }: TrainConfig,
  { dimension, training, onNotice }: ObjectiveSetting,
): Promise<TrainObjective[]> {
  const objectives: TrainObjective[] = [];
  const open = async (folder: string, key: string) => {
    const teacher = await Teacher.open(folder, key);
    const { found, total } = teacher.coverage(training);
    if (found === 0) {
      throw new TrainError(
        'INPUT_CONFIG',
        `${key}: ${folder} has an embedding for none of the ${total} questions and passages; make it from the same data: synglot distill-teacher CONFIG --teacher MODEL --output ${folder}`,
      );
    }
    if (found < total) {
      onNotice(`${key}: ${found} of ${total} questions and passages have a teacher's embedding`);
    }
    return teacher;
  };
  if (distillation) {
    const teacher = await open(distillation.teacher, 'distillation.teacher');
    if (teacher.dimension !== dimension) {
      throw new TrainError(
        'INPUT_CONFIG',
        `distillation.teacher: ${distillation.teacher} has embeddings of ${teacher.dimension} numbers, the model's have ${dimension}; choose a teacher with as many, or use margin_mse`,
      );
    }
    objectives.push(distillationObjective(teacher, distillation));
  }
  if (margins) {
    const { teacher, scale, weight } = margins;
    const source = teacher ? teacherMargins(await open(teacher, 'margin_mse.teacher')) : scoredMargins;
    if (!mining && training.items.every(({ negatives }) => negatives.length === 0)) {
      throw new TrainError(
        'INPUT_CONFIG',
        'margin_mse: the data have no hard negatives; mine some with: synglot mine CONFIG --output FILE',
      );
    }
    objectives.push(marginMseObjective(source, { weight, scale }));
  }
  return objectives;
}

function languageObjectives(
  { adversarial, training: { seed } }: TrainConfig,
  { dimension, training }: ObjectiveSetting,
): TrainObjective[] {
  if (!adversarial) return [];
  const languages = [...training.languages].sort();
  if (languages.length < 2) {
    throw new TrainError(
      'INPUT_CONFIG',
      `adversarial: a language discriminator needs two languages, but the data have ${languages.join(', ')} alone`,
    );
  }
  const { learning_rate_scale: learningRateScale, ...options } = adversarial;
  return adversarialObjectives({ ...options, learningRateScale, dimension, languages, seed });
}

function contrastiveObjectives(
  { loss, matryoshka: nested }: TrainConfig,
  { normalize }: ObjectiveSetting,
): TrainObjective[] {
  const { temperature, direction, weight, learnable_temperature: range } = loss;
  const options: ContrastiveOptions = {
    temperature,
    direction,
    weight,
    normalize,
    ...(range ? { learnedTemperature: temperatureParameter } : {}),
  };
  const weights = nested?.weights ? { weights: nested.weights } : {};
  const objectives = nested
    ? matryoshka({ dimensions: nested.dimensions, ...weights }, options)
    : [contrastive(options)];
  if (!range) return objectives.map(masked);
  const { least, most, learning_rate_scale: learningRateScale } = range;
  const learned = learnedTemperature({ initial: temperature, least, most, learningRateScale });
  const { spec, initial, objective } = learned;
  return [...objectives.map(masked), { objective, parameters: [{ spec, initial }] }];
}

/** Names of the parameters that the objectives add to the model's; neither the model nor the data changes them. */
export function objectiveParameterNames({ loss, adversarial }: TrainConfig): string[] {
  const shape = { languages: 2, dimension: 4, hidden: 4 };
  return [
    ...(loss.learnable_temperature ? [temperatureParameter] : []),
    ...(adversarial ? languageDiscriminatorParameters(shape).map(({ name }) => name) : []),
  ];
}

/** One column per objective, beside the weighted loss. */
export function metricsLine({ objectives, step, loss, ...rest }: StepMetrics): object {
  return { step, loss, ...objectives, ...rest };
}

/** The same for held-out batches. */
export function validationLine(step: number, { loss, values }: ObjectiveValues): object {
  const columns = Object.entries(values).map(([name, value]) => [`validation_${name}`, value]);
  return { step, validation_loss: loss, ...Object.fromEntries(columns) };
}
