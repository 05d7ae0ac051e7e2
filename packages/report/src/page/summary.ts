/** The table of runs: the three settings and rank distance side by side, and published rows to compare. */

import type { Interval } from '../model.js';
import { type Child, choice, h, tick } from './dom.js';
import { decimal, settings } from './format.js';
import type { Row, Section, View } from './view.js';

type SortKey = 'label' | 'alpha' | 'rankDistance' | (typeof settings)[number]['key'];

interface Column {
  readonly key: SortKey;
  readonly title: string;
  readonly number: boolean;
  readonly value: (row: Row) => number | string | null;
  readonly interval?: (row: Row) => Interval | null | undefined;
  readonly digits?: number;
  /** Which end is better; none where neither is. */
  readonly best?: 'greatest' | 'least';
}

export function summarySection(view: View): Section {
  const element = h('div');
  let sortedBy: SortKey | undefined;
  let descending = false;

  const draw = () => {
    const columns = columnsOf(view);
    const rows = [...view.rows];
    const column = columns.find(({ key }) => key === sortedBy);
    if (column) rows.sort((a, b) => compare(column.value(a), column.value(b), descending));
    const best = new Map(columns.map((each) => [each.key, bestOf(each, rows)]));
    const sort = (key: SortKey, first: boolean) => {
      descending = sortedBy === key ? !descending : first;
      sortedBy = key;
      draw();
    };
    const head = columns.map((each) =>
      h(
        'th',
        {
          scope: 'col',
          class: each.number ? 'number' : 'name',
          'aria-sort': each.key === sortedBy ? (descending ? 'descending' : 'ascending') : null,
        },
        h(
          'button',
          { type: 'button', class: 'sort', onclick: () => sort(each.key, each.best === 'greatest') },
          each.title,
          h(
            'span',
            { class: 'arrow', 'aria-hidden': true },
            each.key === sortedBy ? (descending ? ' ▾' : ' ▴') : '',
          ),
        ),
      ),
    );
    const body = rows.map((row) =>
      h(
        'tr',
        { class: row.published ? 'published' : null },
        columns.map((each) => {
          const value = each.value(row);
          if (!each.number) return h('th', { scope: 'row', class: 'name run-name' }, nameOf(row));
          const range = each.interval?.(row);
          const text = decimal(value as number | null, each.digits);
          const isBest = value !== null && text === decimal(best.get(each.key), each.digits);
          return h(
            'td',
            { class: isBest ? 'number best' : 'number', title: isBest ? 'best of the runs' : null },
            h('span', {}, text),
            range && h('small', {}, range.map((end) => decimal(end, each.digits)).join(' – ')),
          );
        }),
      ),
    );
    element.replaceChildren(
      controls(view),
      h(
        'div',
        { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'table of runs' },
        h('table', { class: 'summary' }, h('thead', {}, h('tr', {}, head)), h('tbody', {}, body)),
      ),
      h('p', { class: 'note' }, explanation(view)),
      publishedPicker(view),
    );
  };
  view.onChange(draw);
  return { id: 'runs', title: 'Runs', element, draw };
}

function columnsOf(view: View): Column[] {
  const columns: Column[] = [{ key: 'label', title: 'run', number: false, value: ({ label }) => label }];
  if (view.runs.some(({ alpha }) => alpha !== null)) {
    columns.push({
      key: 'alpha',
      title: 'α',
      number: true,
      digits: 2,
      value: ({ run }) => run?.alpha ?? null,
    });
  }
  for (const { key, short } of settings) {
    columns.push({
      key,
      title: `${view.measure} ${short}`,
      number: true,
      best: 'greatest',
      value: ({ values }) => values?.[key] ?? null,
      interval: ({ run }) => run?.intervals?.measures[view.measure]?.[key],
    });
  }
  columns.push({
    key: 'rankDistance',
    title: 'rank distance',
    number: true,
    digits: 1,
    best: 'least',
    value: ({ rankDistance }) => rankDistance,
    interval: ({ run }) => run?.intervals?.rankDistance,
  });
  return columns;
}

/** Among own runs, and only where there is a choice. */
function bestOf(column: Column, rows: readonly Row[]): number | undefined {
  const values = rows
    .filter(({ run }) => run)
    .map(column.value)
    .filter((value): value is number => typeof value === 'number');
  if (!column.best || values.length < 2) return undefined;
  return column.best === 'greatest' ? Math.max(...values) : Math.min(...values);
}

/** Missing values last, whichever way. */
function compare(a: number | string | null, b: number | string | null, descending: boolean): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  const order =
    typeof a === 'number' && typeof b === 'number'
      ? a - b
      : String(a).localeCompare(String(b), 'en', { numeric: true });
  return descending ? -order : order;
}

function nameOf({ label, run, published }: Row): Child {
  const facts = run
    ? [...run.facts, ['file', run.file]].map(([name, value]) => `${name}: ${value}`).join('\n')
    : `published: ${published?.source}`;
  return [
    h('span', { title: facts || null, dir: 'auto' }, label),
    published && h('span', { class: 'badge' }, 'published'),
  ];
}

function controls(view: View): HTMLElement {
  const asOptions = (values: readonly string[]) => values.map((value) => ({ value, text: value }));
  return h(
    'div',
    { class: 'controls' },
    view.tasks.length > 1 &&
      choice('benchmark', asOptions(view.tasks), view.task, (value) => {
        view.task = value;
        view.changed();
      }),
    view.measures.length > 1 &&
      choice('measure', asOptions(view.measures), view.measure, (value) => {
        view.measure = value;
        view.changed();
      }),
    view.tasks.length === 1 && h('span', { class: 'fact' }, 'benchmark ', h('b', {}, view.task)),
  );
}

function explanation(view: View): string {
  const cutoffs = [...new Set(view.runs.flatMap(({ mapMeasure }) => mapMeasure ?? []))];
  const map = cutoffs.length > 0 ? `mAP is ${cutoffs.join(' or ')}. ` : '';
  const confidences = [...new Set(view.runs.flatMap(({ intervals }) => intervals?.confidence ?? []))];
  const percent = confidences.map((confidence) => `${Number((confidence * 100).toFixed(1))} %`).join(' or ');
  const small = percent && ` Small: ${percent} bootstrap interval.`;
  return `mono: question and pool in one language; cross: in two; multi: one pool of all languages, every translation relevant. ${map}Rank distance: how far apart the translations of an answer are ranked in the mixed pool; less is less language bias. Underlined: best of the runs.${small}`;
}

function publishedPicker(view: View): HTMLElement | '' {
  if (view.published.length === 0) return '';
  const sources = [...new Set(view.published.map(({ source }) => source))];
  const set = (rows: typeof view.published, on: boolean) => {
    for (const row of rows) on ? view.chosenPublished.add(row) : view.chosenPublished.delete(row);
    view.changed();
  };
  return h(
    'details',
    { class: 'picker', open: view.chosenPublished.size > 0 },
    h('summary', {}, `Compare with published figures (${view.published.length})`),
    sources.map((source) => {
      const rows = view.published.filter((row) => row.source === source);
      return h(
        'fieldset',
        {},
        h('legend', {}, source),
        rows.map((row) => tick(row.label, view.chosenPublished.has(row), (on) => set([row], on))),
      );
    }),
    view.measure !== 'mAP' && h('p', { class: 'note' }, 'Published rows know mAP only.'),
  );
}
