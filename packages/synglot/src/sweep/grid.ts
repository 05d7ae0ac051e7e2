/** The settings of a sweep: grids and lists over configuration keys, crossed. Not their check: see `plan.ts`. */
import { TrainError } from '@synglot/train';

/** One key and the values that it takes. */
export interface Axis {
  readonly key: string;
  /** As written in YAML. */
  readonly values: readonly string[];
}

/** More than this is a typing mistake. */
const mostValues = 1000;

/**
 * Parses `key=0:1:0.1` (from, to, step; both ends included) or `key=a,b,c`; commas within brackets or
 * quotation marks do not separate.
 *
 * @throws TrainError `INPUT_CONFIG`
 */
export function parseAxis(text: string): Axis {
  const at = text.indexOf('=');
  const [key, spec] = [text.slice(0, at).trim(), text.slice(at + 1).trim()];
  if (at < 1 || key === '' || spec === '') {
    throw mistake(text, 'expected key=from:to:step or key=a,b,c, such as sampling.alpha=0:1:0.1');
  }
  const grid = /^(-?[\d.]+(?:e[+-]?\d+)?):(-?[\d.]+(?:e[+-]?\d+)?):([\d.]+(?:e[+-]?\d+)?)$/i.exec(spec);
  if (!grid && /^-?[\d.]+:-?[\d.]+$/.test(spec)) {
    throw mistake(text, `a grid needs its step: ${key}=${spec}:0.1`);
  }
  if (!grid) return { key, values: distinct(text, splitList(spec)) };
  const [from, to, step] = grid.slice(1).map(Number) as [number, number, number];
  const count = Math.floor((to - from) / step + 1e-9) + 1;
  if (!(count >= 1 && count <= mostValues)) {
    throw mistake(text, `expected a step above 0 and 1 to ${mostValues} values from ${from} to ${to}`);
  }
  // Twelve digits, so that 0.1 + 0.2 is written 0.3.
  const value = (index: number) => String(Number((from + index * step).toPrecision(12)));
  return { key, values: Array.from({ length: count }, (_, index) => value(index)) };
}

/** Every combination of the axes' values as `key=value` settings; one empty combination where there are none. */
export function combinations(axes: readonly Axis[]): string[][] {
  return axes.reduce<string[][]>(
    (before, { key, values }) => before.flatMap((set) => values.map((value) => [...set, `${key}=${value}`])),
    [[]],
  );
}

/** Parses `0,1,2`. @throws TrainError `INPUT_CONFIG` */
export function parseSeeds(text: string): number[] {
  const values = splitList(text);
  const wrong = values.find((value) => !Number.isSafeInteger(Number(value)) || value === '');
  if (wrong !== undefined) throw mistake(`--seeds-list ${text}`, `'${wrong}' is no whole number`);
  return distinct(
    `--seeds-list ${text}`,
    values.map((value) => String(Number(value))),
  ).map(Number);
}

function distinct(text: string, values: readonly string[]): readonly string[] {
  const repeated = values.find((value, index) => values.indexOf(value) !== index);
  if (repeated !== undefined) throw mistake(text, `'${repeated}' occurs twice`);
  return values;
}

/** At commas that are in no brackets and in no quotation marks. */
function splitList(text: string): string[] {
  const values: string[] = [];
  let depth = 0;
  let quote = '';
  let value = '';
  for (const letter of text) {
    if (quote !== '') quote = letter === quote ? '' : quote;
    else if ('[{'.includes(letter)) depth++;
    else if (']}'.includes(letter)) depth--;
    // Within a word it is an apostrophe.
    else if ('"\''.includes(letter) && /(^|[[{,:\s])$/.test(value)) quote = letter;
    if (letter === ',' && depth === 0 && quote === '') {
      values.push(value.trim());
      value = '';
    } else {
      value += letter;
    }
  }
  return [...values, value.trim()];
}

function mistake(text: string, problem: string): TrainError {
  return new TrainError('INPUT_CONFIG', `${text}: ${problem}`);
}
