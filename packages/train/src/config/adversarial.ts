/** `adversarial` and `fgm`: a language discriminator, and perturbed word embeddings. See docs/methods.md. */
import { z } from 'zod';
import { count, notNegative, positive } from './common.js';

export const adversarialSection = z
  .strictObject({
    /** Width of the discriminator's hidden layer. */
    hidden: count.multipleOf(4).default(128),
    /** Greatest strength of the gradient reversal. */
    lambda: notNegative.default(1),
    /** How it gets there: along Ganin et al.'s curve, in proportion to the steps done, or at once. */
    schedule: z.enum(['ganin', 'linear', 'constant']).default('ganin'),
    /** Steepness of Ganin et al.'s curve. */
    gamma: positive.default(10),
    /** The discriminator's learning rate divided by `optimizer.learning_rate`. */
    learning_rate_scale: positive.default(1),
  })
  .optional();

export const fgmSection = z
  .strictObject({
    /** Length of the step, over all word embeddings of a text. */
    epsilon: positive.default(1),
  })
  .optional();
