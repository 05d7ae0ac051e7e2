/** The heat map of every language pair: a table, so that it can be read aloud, copied and printed. */
import type { PairMatrixModel, RunModel } from '../model.js';
import { diverging, sequential } from './colors.js';
import { choice, h } from './dom.js';
import { cell, decimal, extent, languageName } from './format.js';
import { overview } from './pairs-overview.js';
import type { Section, View } from './view.js';

const nothing = '';

export function pairsSection(view: View): Section {
  const element = h('div');
  let chosen = '';
  let against = nothing;
  let measure = '';

  const draw = () => {
    const runs = view.runs.filter(({ pairs }) => pairs);
    if (runs.length === 0) {
      element.replaceChildren(h('p', { class: 'note' }, 'No run of this benchmark has language pairs.'));
      return;
    }
    const run = runs.find(({ label }) => label === chosen) ?? runs[0]!;
    chosen = run.label;
    const names = run.pairs!.matrices.map(({ name }) => name);
    if (!names.includes(measure)) measure = names[0]!;
    const other = runs.find(({ label }) => label === against && label !== chosen);
    against = other?.label ?? nothing;
    const matrix = matrixOf(run, measure)!;
    const asOptions = (values: readonly string[]) => values.map((value) => ({ value, text: value }));
    const others = runs.map(({ label }) => label).filter((label) => label !== chosen);
    const choose = (label: string) => {
      chosen = label;
      draw();
    };
    const range = extent(runs.flatMap((each) => numbersOf(matrixOf(each, measure)))) ?? [0, 1];
    const difference = other && differenceOf(run, other, measure);
    const reach = difference
      ? Math.max(1e-9, ...numbersOf(difference).map((value) => Math.abs(value ?? 0)))
      : 0;
    element.replaceChildren(
      h(
        'div',
        { class: 'controls' },
        choice('run', asOptions(runs.map(({ label }) => label)), chosen, choose),
        choice('measure', asOptions(names), measure, (value) => {
          measure = value;
          draw();
        }),
        others.length > 0 &&
          choice('minus', [{ value: nothing, text: 'nothing' }, ...asOptions(others)], against, (value) => {
            against = value;
            draw();
          }),
      ),
      difference
        ? legend([-reach, reach], (share) => diverging(share * 2 - 1).background, true)
        : legend(range, (share) => sequential(share).background, false),
      h(
        'div',
        { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': `${measure} of every language pair` },
        heatTable(run, other, difference ?? matrix, (value) =>
          difference ? diverging(value / reach) : sequential(share(value, range)),
        ),
      ),
      h('p', { class: 'note' }, noteOf(matrix)),
      runs.length > 1
        ? overview({ runs, measure, range, chosen, choose, matrixOf: (each) => matrixOf(each, measure) })
        : '',
    );
  };
  view.onChange(draw);
  return { id: 'pairs', title: 'Language pairs', element, draw };
}

function noteOf({ mixed }: PairMatrixModel): string {
  return mixed
    ? 'Rows: language of the questions; columns: language of the pool. The diagonal is the monolingual setting, the last column the pool of all languages. Colours have one scale for all runs.'
    : 'Rows: language of the questions; columns: share of that language among the first passages of the mixed pool. Equal shares in a row are no bias; a strong diagonal prefers the language of the question.';
}

/** Where `value` lies in the range, from 0 to 1. */
export function share(value: number, [least, greatest]: readonly [number, number]): number {
  return greatest > least ? (value - least) / (greatest - least) : 0.5;
}

function matrixOf(run: RunModel, name: string): PairMatrixModel | undefined {
  return run.pairs?.matrices.find((matrix) => matrix.name === name);
}

function numbersOf(matrix: PairMatrixModel | undefined): (number | null)[] {
  return matrix ? [...matrix.values.flat(), ...(matrix.mixed ?? [])] : [];
}

/** `run - other` for the pairs that both have. */
function differenceOf(run: RunModel, other: RunModel, name: string): PairMatrixModel | undefined {
  const [mine, its] = [matrixOf(run, name), matrixOf(other, name)];
  if (!mine || !its) return undefined;
  const at = new Map(other.pairs!.langs.map((lang, index) => [lang, index]));
  const minus = (a: number | null | undefined, b: number | null | undefined) =>
    a == null || b == null ? null : a - b;
  const { langs } = run.pairs!;
  const row = (lang: string) => at.get(lang) ?? -1;
  return {
    name,
    values: langs.map((query, i) =>
      langs.map((pool, j) => minus(mine.values[i]?.[j], its.values[row(query)]?.[row(pool)])),
    ),
    ...(mine.mixed
      ? { mixed: langs.map((query, i) => minus(mine.mixed?.[i], its.mixed?.[row(query)])) }
      : {}),
  };
}

function heatTable(
  run: RunModel,
  other: RunModel | undefined,
  matrix: PairMatrixModel,
  colorOf: (value: number) => { background: string; ink: string },
): HTMLElement {
  const { langs } = run.pairs!;
  const column = (lang: string) => h('th', { scope: 'col', title: languageName(lang) }, lang);
  const value = (number: number | null | undefined, title: string, kind: string) => {
    if (number == null) return h('td', { class: kind, title: `${title}: not measured` }, '–');
    const { background, ink } = colorOf(number);
    const properties = { class: kind, style: `background:${background};color:${ink}` };
    return h('td', { ...properties, title: `${title}: ${decimal(number)}` }, cell(number));
  };
  return h(
    'table',
    { class: 'heat' },
    h(
      'caption',
      {},
      h('b', {}, matrix.name),
      ' of ',
      h('bdi', {}, run.label),
      other && [' minus ', h('bdi', {}, other.label)],
    ),
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        h('th', { scope: 'col', class: 'corner' }, 'question \\ pool'),
        langs.map(column),
        matrix.mixed && h('th', { scope: 'col', class: 'mixed', title: 'pool of all languages' }, 'all'),
      ),
    ),
    h(
      'tbody',
      {},
      langs.map((query, i) =>
        h(
          'tr',
          {},
          h('th', { scope: 'row', title: languageName(query) }, query),
          langs.map((pool, j) =>
            value(
              matrix.values[i]?.[j],
              `${languageName(query)} → ${languageName(pool)}`,
              i === j ? 'same' : '',
            ),
          ),
          matrix.mixed && value(matrix.mixed[i], `${languageName(query)} → all languages`, 'mixed'),
        ),
      ),
    ),
  );
}

function legend(
  [least, greatest]: readonly [number, number],
  colorAt: (share: number) => string,
  signed: boolean,
): HTMLElement {
  const stops = Array.from({ length: 13 }, (_, index) => colorAt(index / 12)).join(', ');
  const number = (value: number) => (signed && value > 0 ? '+' : '') + decimal(value, 3);
  return h(
    'div',
    { class: 'ramp' },
    h('span', {}, number(least)),
    h('span', {
      class: 'bar',
      role: 'img',
      'aria-label': 'colours from least to greatest',
      style: `background:linear-gradient(to right, ${stops})`,
    }),
    h('span', {}, number(greatest)),
  );
}
