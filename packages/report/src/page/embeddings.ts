/** The map of embeddings: one point per text, coloured by language, in the plane that the readers computed. */
import * as Plot from '@observablehq/plot';
import type { EmbeddingMapModel } from '../model.js';
import { category, shape } from './colors.js';
import { choice, h, tick, widthOf } from './dom.js';
import { languageName } from './format.js';
import { point } from './icons.js';
import type { Section, View } from './view.js';

export function embeddingsSection(view: View): Section {
  const element = h('div');
  const maps = view.model.embeddings;
  let chosen = 0;
  const hidden = new Set<string>();
  const draw = () => {
    const map = maps[chosen]!;
    const width = widthOf(element);
    const counts = map.langs.map((_, lang) =>
      map.points.reduce((n, point) => n + Number(point[2] === lang), 0),
    );
    element.replaceChildren(
      maps.length > 1
        ? h(
            'div',
            { class: 'controls' },
            choice(
              'embeddings',
              maps.map(({ label }, index) => ({ value: String(index), text: label })),
              String(chosen),
              (value) => {
                chosen = Number(value);
                draw();
              },
            ),
          )
        : '',
      h(
        'div',
        { class: 'legend' },
        map.langs.map((lang, index) =>
          tick(
            [
              point(category(index), shape(index)),
              `${lang} `,
              h('span', { class: 'weak' }, `${languageName(lang)}, ${counts[index]}`),
            ],
            !hidden.has(lang),
            (on) => {
              on ? hidden.delete(lang) : hidden.add(lang);
              draw();
            },
          ),
        ),
      ),
      h('figure', {}, chart(map, width, hidden)),
      h('p', { class: 'note' }, note(map)),
    );
  };
  return { id: 'embeddings', title: 'Embeddings', element, draw };
}

function note({ label, points, total, explained }: EmbeddingMapModel): string {
  const shown =
    points.length < total
      ? `${points.length} of ${total} texts, the same share of each language`
      : `${total} texts`;
  const axes = explained
    ? ` Axes: the first two principal components, with ${percent(explained[0])} and ${percent(explained[1])} of the variance.`
    : '';
  return `${label}: ${shown}.${axes} Languages that form islands of their own are told apart by the model; a good multilingual model mixes them.`;
}

function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`;
}

interface Dot {
  readonly x: number;
  readonly y: number;
  readonly lang: number;
  readonly text: string;
}

function chart(map: EmbeddingMapModel, width: number, hidden: ReadonlySet<string>): Element {
  const points = map.points
    .map(([x, y, lang], index): Dot => ({ x, y, lang, text: map.texts?.[index] ?? '' }))
    .filter(({ lang }) => !hidden.has(map.langs[lang]!));
  const name = (axis: 0 | 1) =>
    map.explained ? `component ${axis + 1} (${percent(map.explained[axis])})` : axis === 0 ? 'x' : 'y';
  return Plot.plot({
    width,
    height: Math.round(Math.min(560, width * 0.8)),
    marginLeft: 44,
    marginBottom: 42,
    style: { background: 'transparent', fontSize: '12px', overflow: 'visible' },
    ariaLabel: 'map of embeddings, coloured by language',
    x: { label: name(0), ticks: 5, grid: true },
    y: { label: name(1), ticks: 5, grid: true },
    symbol: { type: 'identity' as never },
    marks: [
      Plot.dot(points, {
        x: 'x',
        y: 'y',
        r: 2.6,
        fill: ({ lang }) => category(lang),
        fillOpacity: 0.75,
        symbol: ({ lang }: Dot) => shape(lang),
        title: ({ lang, text }) => [languageName(map.langs[lang]!), text].filter(Boolean).join('\n'),
        tip: true,
      }),
    ],
  });
}
