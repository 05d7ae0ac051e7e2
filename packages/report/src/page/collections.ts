/** Judged collections, bitexts and TREC runs: one row per collection, one column per run, for one measure at a time. */
import type { CollectionModel, CollectionsModel, Interval } from '../model.js';
import { choice, h } from './dom.js';
import { decimal } from './format.js';
import type { Section, View } from './view.js';

export function collectionsSection({ model }: View): Section {
  const element = h('div');
  const tasks = distinct(model.collections.map(({ task }) => task));
  let task = tasks[0]!;
  let measure = '';
  const draw = () => {
    const runs = model.collections.filter((run) => run.task === task);
    const measures = distinct(
      runs.flatMap(({ collections }) => collections.flatMap(({ means }) => Object.keys(means))),
    );
    if (!measures.includes(measure)) measure = measures[0] ?? '';
    const options = (values: readonly string[]) => values.map((value) => ({ value, text: value }));
    element.replaceChildren(
      h(
        'div',
        { class: 'controls' },
        tasks.length > 1 &&
          choice('benchmark', options(tasks), task, (value) => {
            task = value;
            draw();
          }),
        tasks.length === 1 && h('span', { class: 'fact' }, 'benchmark ', h('b', {}, task)),
        measures.length > 1 &&
          choice('measure', options(measures), measure, (value) => {
            measure = value;
            draw();
          }),
      ),
      h(
        'div',
        { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'table of collections' },
        table(runs, measure),
      ),
      h('p', { class: 'note' }, `${measure}. The mean is over the collections that a run has.`),
    );
  };
  return { id: 'collections', title: 'Collections', element, draw };
}

/** Collections of one name and another size, such as a subset, are others: they have a row of their own. */
function table(runs: readonly CollectionsModel[], measure: string): HTMLElement {
  const all = runs.flatMap(({ collections }) => collections);
  const isSame = (a: CollectionModel, b: CollectionModel) => a.name === b.name && a.size === b.size;
  const different = all.filter((one, index) => all.findIndex((other) => isSame(one, other)) === index);
  const rows = different.map((one) => {
    const { name, size } = one;
    const several = different.filter((other) => other.name === name).length > 1;
    return h(
      'tr',
      {},
      h('th', { scope: 'row', class: 'name', title: size }, several ? `${name}, ${size}` : name),
      runs.map(({ collections }) =>
        figure(
          collections.find((other) => isSame(one, other)),
          measure,
        ),
      ),
    );
  });
  const means = runs.map(({ collections }) => {
    const values = collections.flatMap(({ means }) => means[measure] ?? []);
    return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
  });
  const last = h(
    'tr',
    {},
    h('th', { scope: 'row', class: 'name' }, 'mean'),
    means.map((value) => h('td', { class: 'number' }, h('span', {}, h('b', {}, decimal(value))))),
  );
  return h(
    'table',
    { class: 'figures' },
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        h('th', { scope: 'col', class: 'name' }, 'collection'),
        runs.map(({ label, file }) =>
          h('th', { scope: 'col', class: 'number', title: `file: ${file}`, dir: 'auto' }, label),
        ),
      ),
    ),
    h('tbody', {}, rows, rows.length > 1 && last),
  );
}

function figure(collection: CollectionModel | undefined, measure: string): HTMLElement {
  const range: Interval | undefined = collection?.intervals[measure];
  return h(
    'td',
    { class: 'number', title: collection?.size ?? null },
    h('span', {}, decimal(collection?.means[measure])),
    range && h('small', {}, range.map((end) => decimal(end)).join(' – ')),
  );
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)];
}
