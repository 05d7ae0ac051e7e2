/** `loss`: the contrastive loss. */
import { z } from 'zod';
import { notNegative, positive } from './common.js';

/** A temperature that is trained; it starts at `loss.temperature`. */
const learnableTemperature = z
  .strictObject({
    least: positive.default(0.01),
    most: positive.default(1),
    /** Its learning rate divided by `optimizer.learning_rate`. */
    learning_rate_scale: notNegative.default(1),
  })
  .refine(({ least, most }) => least < most, { message: 'least must be below most', path: ['least'] });

export const lossSection = z
  .strictObject({
    temperature: positive.default(0.05),
    learnable_temperature: learnableTemperature.optional(),
    direction: z.enum(['query-to-passage', 'passage-to-query', 'both']).default('query-to-passage'),
    /** Beside other objectives; their weights are in their sections. */
    weight: positive.default(1),
  })
  .refine(
    ({ temperature, learnable_temperature: range }) =>
      !range || (range.least <= temperature && temperature <= range.most),
    { message: 'temperature must be within learnable_temperature.least and most', path: ['temperature'] },
  )
  .prefault({});
