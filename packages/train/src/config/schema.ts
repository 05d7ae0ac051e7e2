/**
 * The schema of a training configuration: one file per section, each named here once.
 *
 * `config.ts` reads files with it, `problems.ts` words the errors.
 */
import { z } from 'zod';
import { adapterSection } from './adapter.js';
import { adversarialSection, fgmSection } from './adversarial.js';
import { codeSwitchingSection } from './code-switching.js';
import { dataSource } from './data.js';
import { distillationSection, marginMseSection } from './distillation.js';
import { freshModelSection } from './fresh-model.js';
import { holdOutSection } from './hold-out.js';
import { lossSection } from './loss.js';
import { matryoshkaSection } from './matryoshka.js';
import { miningSection } from './mining.js';
import { optimizerSection } from './optimizer.js';
import { samplingSection } from './sampling.js';
import { textSection } from './text.js';
import { trainingSection } from './training.js';
import { checkpointSection, validationSection } from './validation.js';

export const schema = z.strictObject({
  /** Folder or hub id of the checkpoint to start from, or `fresh`. */
  model: z.string(),
  fresh_model: freshModelSection,
  pooling: z.strictObject({ mode: z.enum(['cls', 'mean']), normalize: z.boolean().default(true) }).optional(),
  adapter: adapterSection,
  data: z.array(dataSource).min(1),
  hold_out: holdOutSection,
  sampling: samplingSection,
  text: textSection,
  code_switching: codeSwitchingSection,
  mining: miningSection,
  loss: lossSection,
  matryoshka: matryoshkaSection,
  distillation: distillationSection,
  margin_mse: marginMseSection,
  adversarial: adversarialSection,
  fgm: fgmSection,
  optimizer: optimizerSection,
  training: trainingSection,
  validation: validationSection,
  checkpoint: checkpointSection,
  output: z.string().optional(),
  device: z.string().optional(),
});

/** A checked configuration with every default filled in. */
export type TrainConfig = z.output<typeof schema>;
/** What a user writes. */
export type TrainConfigInput = z.input<typeof schema>;
