/** Numbers and names as the page shows them. Pure. */
import { decimal as fixed } from '@synglot/eval';
import type { Setting } from '../model.js';

/** The settings in their order, with the words and the mark of each. */
export const settings: readonly { readonly key: Setting; readonly name: string; readonly short: string }[] = [
  { key: 'monolingual', name: 'monolingual', short: 'mono' },
  { key: 'cross_lingual', name: 'cross-lingual', short: 'cross' },
  { key: 'multilingual', name: 'multilingual', short: 'multi' },
];

/** Measures: four digits. */
export function decimal(value: number | null | undefined, digits = 4): string {
  return fixed(value, digits, '–');
}

/** For cells of a matrix: `.812`, `1.00`, `-.04`; room is short there. */
export function cell(value: number | null | undefined): string {
  const text = decimal(value, 3);
  return /^-?1\./.test(text) ? decimal(value, 2) : text.replace('0.', '.');
}

/** At most `letters` letters. */
export function clip(text: string, letters: number): string {
  const all = Array.from(text);
  return all.length <= letters ? text : `${all.slice(0, letters - 1).join('')}…`;
}

const languageNames = new Map<string, string | undefined>();

/** `de` to `German`, where the browser knows it; else the code itself. */
export function languageName(code: string): string {
  if (!languageNames.has(code)) {
    let name: string | undefined;
    try {
      name = new Intl.DisplayNames('en', { type: 'language' }).of(code.replace('_', '-'));
    } catch {
      name = undefined;
    }
    languageNames.set(code, name);
  }
  return languageNames.get(code) ?? code;
}

/** Least and greatest of the numbers there are; undefined without any. */
export function extent(values: Iterable<number | null | undefined>): [number, number] | undefined {
  let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value === null || value === undefined) continue;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  return least <= greatest ? [least, greatest] : undefined;
}
