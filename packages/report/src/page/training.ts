/** Training curves: loss, validation loss, learning rate and gradient norm of several runs. */
import * as Plot from '@observablehq/plot';
import type { CurveName, CurvePoint, TrainingModel } from '../model.js';
import { category, dash } from './colors.js';
import { h, tick, widthOf } from './dom.js';
import { stroke } from './icons.js';
import { caption } from './settings-chart.js';
import type { Section, View } from './view.js';

const panels: readonly { readonly name: CurveName; readonly title: string; readonly smooth: boolean }[] = [
  { name: 'loss', title: 'loss', smooth: true },
  { name: 'validation_loss', title: 'validation loss', smooth: false },
  { name: 'learning_rate', title: 'learning rate', smooth: false },
  { name: 'gradient_norm', title: 'gradient norm', smooth: true },
];

export function trainingSection(view: View): Section {
  const element = h('div');
  const { trainings } = view.model;
  const hidden = new Set<TrainingModel>();
  const draw = () => {
    const width = widthOf(element);
    const each = width > 620 ? Math.floor((width - 24) / 2) : width;
    const shown = panels.filter(({ name }) => trainings.some(({ curves }) => curves[name].length > 0));
    element.replaceChildren(
      h(
        'div',
        { class: 'legend' },
        trainings.map((training, index) =>
          tick(
            [stroke(category(index), dash(index)), h('span', { dir: 'auto' }, training.label)],
            !hidden.has(training),
            (on) => {
              on ? hidden.delete(training) : hidden.add(training);
              draw();
            },
          ),
        ),
      ),
      h(
        'div',
        { class: 'beside' },
        shown.map((panel) =>
          h(
            'figure',
            {},
            caption(panel.title, panel.smooth ? 'moving mean; single updates behind it' : ''),
            chart(panel, each),
          ),
        ),
      ),
    );
  };

  const chart = ({ name, title, smooth }: (typeof panels)[number], width: number) =>
    Plot.plot({
      width,
      height: Math.min(280, Math.round(width * 0.6) + 40),
      marginLeft: 52,
      marginBottom: 42,
      marginRight: 12,
      style: { background: 'transparent', fontSize: '12px', overflow: 'visible' },
      ariaLabel: `${title} of each training run, by update`,
      x: { label: 'update', ticks: Math.max(3, Math.round(width / 110)) },
      y: {
        label: null,
        grid: true,
        nice: true,
        ticks: 5,
        ...(name === 'learning_rate'
          ? { tickFormat: (rate: number) => (rate === 0 ? '0' : rate.toExponential()) }
          : {}),
      },
      marks: trainings.flatMap((training, index) =>
        hidden.has(training) ? [] : curve(training.curves[name], index, smooth),
      ),
    });
  return { id: 'training', title: 'Training', element, draw };
}

function curve(points: readonly CurvePoint[], index: number, smooth: boolean): Plot.Markish[] {
  if (points.length === 0) return [];
  const color = category(index);
  const marks: Plot.Markish[] = [];
  const line = { x: '0', y: '1', stroke: color, strokeDasharray: dash(index) };
  if (smooth) {
    marks.push(
      points[0]!.length === 4
        ? Plot.areaY(points, { x: '0', y1: '2', y2: '3', fill: color, fillOpacity: 0.15 })
        : Plot.lineY(points, { ...line, strokeWidth: 1, strokeOpacity: 0.28 }),
    );
    const k = Math.max(1, Math.round(points.length / 25));
    marks.push(Plot.lineY(points, Plot.windowY({ k, strict: false }, { ...line, strokeWidth: 2 })));
  } else {
    marks.push(Plot.lineY(points, { ...line, strokeWidth: 2 }));
    if (points.length <= 3) marks.push(Plot.dot(points, { x: '0', y: '1', fill: color, r: 2.5 }));
  }
  return marks;
}
