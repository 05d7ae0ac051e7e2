/** Numbers and names as the page shows them. Pure. */
import type { Setting } from '../model.js';

/** The settings in their order, with the words and the mark of each. */
export const settings: readonly { readonly key: Setting; readonly name: string; readonly short: string }[] = [
  { key: 'monolingual', name: 'monolingual', short: 'mono' },
  { key: 'cross_lingual', name: 'cross-lingual', short: 'cross' },
  { key: 'multilingual', name: 'multilingual', short: 'multi' },
];

/** Measures: four digits. */
export function decimal(value: number | null | undefined, digits = 4): string {
  return value === null || value === undefined ? '–' : value.toFixed(digits);
}

/** For cells of a matrix: `.812`, `1.00`, `-.04`; room is short there. */
export function cell(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  const text = value.toFixed(3);
  if (/^-?1\./.test(text)) return value.toFixed(2);
  return text.replace('0.', '.').replace(/^-(\.000)$/, '$1');
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
