/** Language bias of the mixed pool beyond rank distance: one row per run, one column per figure. */
import type { BiasModel } from '../model.js';
import { h } from './dom.js';
import { decimal } from './format.js';
import type { Section, View } from './view.js';

interface Figure {
  readonly title: string;
  readonly digits?: number;
  readonly value: (bias: BiasModel, measure: string) => number | null | undefined;
}

const figures: readonly Figure[] = [
  { title: 'last translation’s rank', digits: 1, value: ({ maxRank }) => maxRank },
  { title: 'own language first', value: ({ ownLanguageFirst }) => ownLanguageFirst },
  { title: 'first: right, own language', value: ({ first }) => first?.relevant_own },
  { title: 'first: right, another', value: ({ first }) => first?.relevant_other },
  { title: 'first: wrong, own language', value: ({ first }) => first?.wrong_own },
  { title: 'first: wrong, another', value: ({ first }) => first?.wrong_other },
  { title: 'PEER: right', value: ({ equalRank }) => equalRank?.relevant },
  { title: 'PEER: others', value: ({ equalRank }) => equalRank?.other },
  { title: 'gap between languages', value: ({ gaps }, measure) => gaps[measure] },
  { title: 'rank correlation', value: ({ rankCorrelation }) => rankCorrelation },
];

export function biasSection(view: View): Section {
  const element = h('div');
  const draw = () => {
    const runs = view.runs.flatMap(({ label, bias }) => (bias ? [{ label, bias }] : []));
    const shown = figures.filter(({ value }) => runs.some(({ bias }) => value(bias, view.measure) != null));
    if (runs.length === 0) {
      element.replaceChildren(h('p', { class: 'note' }, 'No run of this benchmark has these figures.'));
      return;
    }
    element.replaceChildren(
      h(
        'div',
        { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'table of language bias' },
        h(
          'table',
          { class: 'figures' },
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              h('th', { scope: 'col', class: 'name' }, 'run'),
              shown.map(({ title }) => h('th', { scope: 'col', class: 'number' }, title)),
            ),
          ),
          h(
            'tbody',
            {},
            runs.map(({ label, bias }) =>
              h(
                'tr',
                {},
                h('th', { scope: 'row', class: 'name run-name', dir: 'auto' }, label),
                shown.map(({ value, digits }) =>
                  h('td', { class: 'number' }, decimal(value(bias, view.measure), digits)),
                ),
              ),
            ),
          ),
        ),
      ),
      h(
        'p',
        { class: 'note' },
        `Means over query languages, of the pool that mixes all of them. Own language first: the best-ranked right passage is in the query’s language. PEER: p-value of right passages, or of others, having equal expected ranks in all languages among the first 20. Gap: ${view.measure} of the best language minus the worst.`,
      ),
    );
  };
  view.onChange(draw);
  return { id: 'bias', title: 'Language bias in the mixed pool', element, draw };
}
