/** The page: reads its data, puts the sections together, draws them again when the width changes. */
import type { ReportModel } from '../model.js';
import { alphaSection } from './alpha.js';
import { biasSection } from './bias.js';
import { collectionsSection } from './collections.js';
import { h } from './dom.js';
import { embeddingsSection } from './embeddings.js';
import { pairsSection } from './pairs.js';
import { settingsSection } from './settings-chart.js';
import { summarySection } from './summary.js';
import { trainingSection } from './training.js';
import { type Section, View } from './view.js';
import { worstSection } from './worst.js';

function sectionsOf(view: View): { shown: Section[]; missing: string[] } {
  const { runs, trainings, embeddings, collections } = view.model;
  const shown: Section[] = [];
  const missing: string[] = [];
  const add = (there: boolean, make: (view: View) => Section, what: string) =>
    there ? shown.push(make(view)) : missing.push(what);
  add(runs.length > 0, summarySection, 'runs (synglot eval --json)');
  if (runs.length > 0) shown.push(settingsSection(view));
  if (runs.some(({ bias }) => bias)) shown.push(biasSection(view));
  if (collections.length > 0) shown.push(collectionsSection(view));
  add(
    runs.some(({ pairs }) => pairs),
    pairsSection,
    'language pairs (synglot eval --json)',
  );
  const alphas = new Set(runs.flatMap(({ alpha }) => alpha ?? []));
  add(alphas.size > 1, alphaSection, 'α curve (runs with two or more values of alpha)');
  add(trainings.length > 0, trainingSection, 'training curves (a folder with metrics.jsonl)');
  add(embeddings.length > 0, embeddingsSection, 'embeddings (an .npy with its .langs.txt)');
  add(
    runs.some(({ worstQueries }) => worstQueries.length > 0),
    worstSection,
    'worst queries (worst_queries in the JSON)',
  );
  return { shown, missing };
}

function themeButton(): HTMLElement {
  const names = ['system', 'light', 'dark'];
  let mode = 0;
  const button = h('button', {
    type: 'button',
    class: 'theme',
    onclick: () => {
      mode = (mode + 1) % names.length;
      document.documentElement.dataset.theme = names[mode]!;
      button.textContent = `theme: ${names[mode]}`;
    },
  });
  button.textContent = 'theme: system';
  return button;
}

function start(): void {
  performance.mark('begun');
  const model = JSON.parse(document.getElementById('report')!.textContent!) as ReportModel;
  const view = new View(model);
  const { shown, missing } = sectionsOf(view);
  const parts = shown.map(({ id, title, element }) =>
    h('section', { id, 'aria-labelledby': `${id}-title` }, h('h2', { id: `${id}-title` }, title), element),
  );
  document.getElementById('page')!.replaceChildren(
    h(
      'header',
      {},
      h('div', { class: 'top' }, h('h1', { dir: 'auto' }, model.title), themeButton()),
      h(
        'nav',
        { 'aria-label': 'sections' },
        shown.map(({ id, title }) => h('a', { href: `#${id}` }, title)),
      ),
    ),
    h('main', {}, parts),
    h(
      'footer',
      {},
      missing.length > 0 ? `Not in these runs: ${missing.join('; ')}. ` : '',
      'Made by synglot report; charts by Observable Plot.',
    ),
  );
  const draw = () => {
    for (const section of shown) section.draw();
  };
  draw();
  let width = innerWidth;
  let waiting = 0;
  addEventListener('resize', () => {
    if (innerWidth === width) return;
    width = innerWidth;
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(draw);
  });
  document.body.getBoundingClientRect();
  performance.mark('drawn');
  document.documentElement.dataset.drawn = 'true';
}

start();
