/** `validation` and `checkpoint`: what is looked at and kept during a run. */
import { z } from 'zod';
import { count, fraction } from './common.js';

export const validationSection = z
  .strictObject({ fraction: fraction.default(0.02), every: count.default(100), batches: count.default(8) })
  .optional();

export const checkpointSection = z
  .strictObject({ every: count.default(100), keep: count.default(2) })
  .prefault({});
