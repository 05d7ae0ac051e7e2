/** Settings and bias of all runs: one line of points per run, bars of rank distance beside them. */
import * as Plot from '@observablehq/plot';
import { h, widthOf } from './dom.js';
import { clip, decimal, extent, settings } from './format.js';
import { point } from './icons.js';
import type { Row, Section, View } from './view.js';

/** Colour and shape of each setting, here and in the α curve. */
export const settingMarks = {
  monolingual: { color: 'var(--mono)', symbol: 'circle' },
  cross_lingual: { color: 'var(--cross)', symbol: 'triangle' },
  multilingual: { color: 'var(--multi)', symbol: 'square' },
} as const;

const narrow = 620;

export function settingsSection(view: View): Section {
  const element = h('div');
  const draw = () => {
    const rows = view.rows.filter(({ values }) => values);
    const width = widthOf(element);
    const biased = rows.some(({ rankDistance }) => rankDistance !== null);
    const together = width > narrow && biased;
    const dotsWidth = together ? Math.round(width * 0.6) : width;
    const dots = h(
      'figure',
      {},
      caption(view.measure, 'more is better'),
      dotChart(rows, dotsWidth, view.measure),
    );
    const bars =
      biased &&
      h(
        'figure',
        {},
        caption('rank distance', 'less is less language bias'),
        barChart(rows, together ? width - dotsWidth - 16 : width, !together),
      );
    element.replaceChildren(
      settingsLegend(),
      h('div', { class: together ? 'beside' : 'stacked' }, dots, bars || null),
    );
  };
  view.onChange(draw);
  return { id: 'settings', title: 'Settings and language bias', element, draw };
}

export function caption(name: string, remark: string): HTMLElement {
  return h('figcaption', {}, h('b', {}, name), ` ${remark}`);
}

/** Legend of the three settings, with the shapes as drawn. */
export function settingsLegend(): HTMLElement {
  return h(
    'div',
    { class: 'legend' },
    settings.map(({ key, name }) =>
      h('span', {}, point(settingMarks[key].color, settingMarks[key].symbol), name),
    ),
  );
}

/** Letters that fit, and the margin they take. */
function labels(rows: readonly Row[], width: number, shown: boolean) {
  const letters = Math.max(8, Math.floor((width * 0.36) / 6.6));
  const longest = Math.max(0, ...rows.map(({ label }) => Math.min(letters, Array.from(label).length)));
  return {
    marginLeft: shown ? Math.round(longest * 6.6) + 16 : 8,
    axis: Plot.axisY({
      tickSize: 0,
      label: null,
      tickFormat: (label: string) => (shown ? clip(label, letters) : ''),
    }),
  };
}

const style = { background: 'transparent', fontSize: '12px', overflow: 'visible' };

function dotChart(rows: readonly Row[], width: number, measure: string): Element {
  const points = rows.flatMap(({ label, values, published }) =>
    settings.flatMap(({ key, name }) => {
      const value = values?.[key];
      return value == null
        ? []
        : [{ label, name, value, published: Boolean(published), ...settingMarks[key] }];
    }),
  );
  const intervals = rows.flatMap(({ label, run }) =>
    settings.flatMap(({ key }) => {
      const interval = run?.intervals?.measures[measure]?.[key];
      return interval ? [{ label, from: interval[0], to: interval[1], ...settingMarks[key] }] : [];
    }),
  );
  const spans = rows.flatMap(({ label, values }) => {
    const span = values && extent(settings.map(({ key }) => values[key]));
    return span ? [{ label, from: span[0], to: span[1] }] : [];
  });
  const { marginLeft, axis } = labels(rows, width, true);
  return Plot.plot({
    width,
    height: rows.length * 28 + 52,
    marginLeft,
    marginRight: 16,
    marginTop: 8,
    marginBottom: 40,
    style,
    ariaLabel: `${measure} of each run in the three settings; the table above has the numbers`,
    y: { domain: rows.map(({ label }) => label), type: 'band' },
    x: { label: measure, nice: true, grid: true, ...(points.length > 0 ? {} : { domain: [0, 1] }) },
    symbol: { type: 'identity' as never },
    marks: [
      axis,
      Plot.ruleY(spans, { y: 'label', x1: 'from', x2: 'to', stroke: 'var(--line)', strokeWidth: 3 }),
      whiskers(intervals, ({ color }) => color),
      Plot.dot(points, {
        x: 'value',
        y: 'label',
        r: 5,
        symbol: 'symbol',
        stroke: ({ color, published }) => (published ? color : 'var(--surface)'),
        strokeWidth: ({ published }) => (published ? 2 : 1),
        fill: ({ color, published }) => (published ? 'var(--surface)' : color),
        channels: { run: 'label', setting: 'name' },
        title: ({ label, name, value }) => `${label}\n${name}: ${decimal(value)}`,
        tip: true,
      }),
    ],
  });
}

function barChart(rows: readonly Row[], width: number, named: boolean): Element {
  const bars = rows.flatMap(({ label, rankDistance, published }) =>
    rankDistance === null ? [] : [{ label, value: rankDistance, published: Boolean(published) }],
  );
  const intervals = rows.flatMap(({ label, run }) => {
    const interval = run?.intervals?.rankDistance;
    return interval ? [{ label, from: interval[0], to: interval[1] }] : [];
  });
  const end = new Map(intervals.map(({ label, to }) => [label, to]));
  const { marginLeft, axis } = labels(rows, width, named);
  return Plot.plot({
    width,
    height: rows.length * 28 + 52,
    marginLeft,
    marginRight: 52,
    marginTop: 8,
    marginBottom: 40,
    style,
    ariaLabel: 'rank distance of each run; the table above has the numbers',
    y: { domain: rows.map(({ label }) => label), type: 'band', padding: 0.35 },
    x: { label: 'rank distance', grid: true, nice: true, ticks: Math.max(2, Math.round(width / 90)) },
    marks: [
      axis,
      Plot.barX(bars, {
        x: 'value',
        y: 'label',
        fill: ({ published }) => (published ? 'var(--bar-published)' : 'var(--bar)'),
        rx: 3,
      }),
      whiskers(intervals, () => 'var(--text)'),
      Plot.text(bars, {
        x: ({ label, value }) => Math.max(value, end.get(label) ?? value),
        y: 'label',
        text: ({ value }) => decimal(value, 1),
        textAnchor: 'start',
        dx: 6,
        fill: 'currentColor',
      }),
      Plot.ruleX([0], { stroke: 'var(--line)' }),
    ],
  });
}

/** Intervals as lines with ends. */
function whiskers<T extends { readonly label: string; readonly from: number; readonly to: number }>(
  intervals: readonly T[],
  stroke: (interval: T) => string,
): Plot.Markish {
  const common = { y: 'label', stroke, strokeWidth: 1.5 };
  const end = { ...common, insetTop: 6, insetBottom: 6 };
  return [
    Plot.ruleY(intervals, { ...common, x1: 'from', x2: 'to' }),
    Plot.tickX(intervals, { ...end, x: 'from' }),
    Plot.tickX(intervals, { ...end, x: 'to' }),
  ];
}
