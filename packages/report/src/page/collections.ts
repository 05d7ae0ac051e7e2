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
    const names = distinct(runs.flatMap(({ collections }) => collections.map(({ name }) => name)));
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
        table(runs, names, measure),
      ),
      h('p', { class: 'note' }, `${measure}. The mean is over the collections that a run has.`),
    );
  };
  return { id: 'collections', title: 'Collections', element, draw };
}

function table(runs: readonly CollectionsModel[], names: readonly string[], measure: string): HTMLElement {
  const find = (run: CollectionsModel, name: string) =>
    run.collections.find((collection) => collection.name === name);
  const rows = names.map((name) => {
    const found = runs.map((run) => find(run, name));
    return h(
      'tr',
      {},
      h('th', { scope: 'row', class: 'name', title: found.find((each) => each)?.size }, name),
      found.map((collection) => figure(collection, measure)),
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
    h('tbody', {}, rows, names.length > 1 && last),
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
