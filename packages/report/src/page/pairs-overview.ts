/** Every run's heat map, small, on one scale of colours: which run, which language. Choosing is by click. */
import * as Plot from '@observablehq/plot';
import type { PairMatrixModel, RunModel } from '../model.js';
import { sequential } from './colors.js';
import { h } from './dom.js';
import { share } from './pairs.js';

export interface OverviewOptions {
  readonly runs: readonly RunModel[];
  readonly measure: string;
  readonly range: readonly [number, number];
  readonly chosen: string;
  readonly choose: (label: string) => void;
  readonly matrixOf: (run: RunModel) => PairMatrixModel | undefined;
}

export function overview({ runs, measure, range, chosen, choose, matrixOf }: OverviewOptions): HTMLElement {
  return h(
    'div',
    { class: 'overview', role: 'group', 'aria-label': `${measure} of every run` },
    runs.map((run) => {
      const matrix = matrixOf(run);
      return h(
        'button',
        {
          type: 'button',
          class: 'thumb',
          'aria-pressed': run.label === chosen ? 'true' : 'false',
          onclick: () => choose(run.label),
          title: run.label,
        },
        matrix ? small(run, matrix, range) : null,
        h('span', { class: 'thumb-label', dir: 'auto' }, run.label),
      );
    }),
  );
}

function small(run: RunModel, matrix: PairMatrixModel, range: readonly [number, number]): Element {
  const { langs } = run.pairs!;
  const cells = matrix.values.flatMap((row, i) =>
    row.flatMap((value, j) =>
      value === null ? [] : [{ i, j, fill: sequential(share(value, range)).background }],
    ),
  );
  const all = langs.map((_, index) => index);
  return Plot.plot({
    width: 120,
    height: 120,
    margin: 0,
    style: { background: 'transparent' },
    x: { axis: null, domain: all, padding: 0.04 },
    y: { axis: null, domain: all, padding: 0.04 },
    marks: [Plot.cell(cells, { x: 'j', y: 'i', fill: { value: 'fill', scale: null } })],
  });
}
