/** The α curve: what a greater share of monolingual batches does to the three settings and to bias. */
import * as Plot from '@observablehq/plot';
import { h, widthOf } from './dom.js';
import { decimal, settings } from './format.js';
import { caption, settingMarks, settingsLegend } from './settings-chart.js';
import type { Section, View } from './view.js';

interface Point {
  readonly alpha: number;
  readonly value: number;
  readonly series: string;
  readonly label: string;
  readonly color: string;
  readonly symbol: string;
  readonly name: string;
}

export function alphaSection(view: View): Section {
  const element = h('div');
  const draw = () => {
    const runs = view.runs.filter(({ alpha }) => alpha !== null);
    if (new Set(runs.map(({ alpha }) => alpha)).size < 2) {
      element.replaceChildren(
        h('p', { class: 'note' }, 'Fewer than two values of α among the runs of this benchmark.'),
      );
      return;
    }
    const width = widthOf(element);
    const each = width > 620 ? Math.floor((width - 24) / 2) : width;
    const measured = runs.flatMap(({ alpha, label, series, measures }) =>
      settings.flatMap(({ key, name }): Point[] => {
        const value = measures[view.measure]?.[key];
        return value == null ? [] : [{ alpha: alpha!, value, label, series, name, ...settingMarks[key] }];
      }),
    );
    const distances = runs.flatMap(({ alpha, label, series, rankDistance }): Point[] =>
      rankDistance === null
        ? []
        : [
            {
              alpha: alpha!,
              value: rankDistance,
              label,
              series,
              name: 'rank distance',
              color: 'var(--bar)',
              symbol: 'circle',
            },
          ],
    );
    element.replaceChildren(
      settingsLegend(),
      h(
        'div',
        { class: 'beside' },
        h('figure', {}, caption(view.measure, 'more is better'), chart(measured, each, view.measure, 4)),
        distances.length > 0 &&
          h(
            'figure',
            {},
            caption('rank distance', 'less is less language bias'),
            chart(distances, each, 'rank distance', 1),
          ),
      ),
      h(
        'p',
        { class: 'note' },
        'α: share of monolingual batches in training; 0 is cross-lingual only, 1 monolingual only. Lines go through the means of runs with the same α and the same starting model.',
      ),
    );
  };
  view.onChange(draw);
  return { id: 'alpha', title: 'α curve', element, draw };
}

function chart(points: readonly Point[], width: number, name: string, digits: number): Element {
  return Plot.plot({
    width,
    height: Math.min(320, Math.round(width * 0.7) + 40),
    marginLeft: 52,
    marginBottom: 42,
    marginRight: 16,
    style: { background: 'transparent', fontSize: '12px', overflow: 'visible' },
    ariaLabel: `${name} against α; the table of runs has the numbers`,
    x: { label: 'α', domain: [0, 1], ticks: 5 },
    y: { label: null, grid: true, nice: true, ticks: 5 },
    symbol: { type: 'identity' as never },
    marks: [
      Plot.line(means(points), { x: 'alpha', y: 'value', z: 'z', stroke: 'color', strokeWidth: 2 }),
      Plot.dot(points, {
        x: 'alpha',
        y: 'value',
        fill: 'color',
        stroke: 'var(--surface)',
        symbol: 'symbol',
        r: 5,
        title: ({ label, name: what, alpha, value }) =>
          `${label}\nα ${decimal(alpha, 2)}\n${what}: ${decimal(value, digits)}`,
        tip: true,
      }),
    ],
  });
}

/** One point for each line and α, in order of α. */
function means(points: readonly Point[]) {
  const groups = new Map<string, Point[]>();
  for (const point of points) {
    const key = JSON.stringify([point.series, point.name, point.alpha]);
    groups.set(key, [...(groups.get(key) ?? []), point]);
  }
  return [...groups.values()]
    .map((group) => ({
      z: JSON.stringify([group[0]!.series, group[0]!.name]),
      alpha: group[0]!.alpha,
      color: group[0]!.color,
      value: group.reduce((sum, { value }) => sum + value, 0) / group.length,
    }))
    .sort((a, b) => a.alpha - b.alpha);
}
