/** Pieces that the sections of a configuration share. */
import { z } from 'zod';

export const fraction = z.number().min(0).max(1);
export const positive = z.number().positive();
export const notNegative = z.number().min(0);
export const count = z.number().int().min(1);

/** A constant, or `[step, value]` pairs between which the value changes linearly. */
export const scheduled = <T extends z.ZodType>(value: T) =>
  z.union([value, z.array(z.tuple([z.number().int().min(0), value]))]);

/** A file or folder, a glob with `*` and `?`, or a list of these. */
export const paths = z.union(
  [z.string(), z.array(z.string()).min(1)],
  'expected a path, a list of paths, or a glob such as data/train-*.parquet',
);
