/** Small drawings for legends: the same shapes and lines as in the charts. */
import * as Plot from '@observablehq/plot';
import { h } from './dom.js';

const frame = {
  margin: 0,
  x: { axis: null, domain: [0, 1] },
  y: { axis: null, domain: [0, 1] },
} satisfies Plot.PlotOptions;

/** A point of a chart. */
export function point(fill: string, symbol: string): HTMLElement {
  const marks = [Plot.dot([0], { x: 0.5, y: 0.5, r: 4.5, fill, symbol: symbol as Plot.SymbolType })];
  return icon(Plot.plot({ ...frame, width: 14, height: 14, marks }));
}

/** A line of a chart. */
export function stroke(color: string, strokeDasharray: string): HTMLElement {
  const ends = [
    [0, 0.5],
    [1, 0.5],
  ];
  const marks = [Plot.line(ends, { stroke: color, strokeWidth: 3, strokeDasharray })];
  return icon(Plot.plot({ ...frame, width: 22, height: 12, marks }));
}

function icon(drawing: Element): HTMLElement {
  return h('span', { class: 'icon', 'aria-hidden': 'true' }, drawing);
}
