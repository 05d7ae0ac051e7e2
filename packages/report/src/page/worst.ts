/** The queries answered worst, each with its ranking. */
import type { WorstQueryModel } from '../model.js';
import { choice, h } from './dom.js';
import { decimal, languageName } from './format.js';
import type { Section, View } from './view.js';

const all = '';
/** More are slow to lay out, and nobody reads them. */
const most = 50;

export function worstSection(view: View): Section {
  const element = h('div');
  let chosen = '';
  let lang = all;
  let setting = all;
  const draw = () => {
    const runs = view.runs.filter(({ worstQueries }) => worstQueries.length > 0);
    const run = runs.find(({ label }) => label === chosen) ?? runs[0];
    if (!run) {
      element.replaceChildren(h('p', { class: 'note' }, 'No run of this benchmark lists single queries.'));
      return;
    }
    const distinct = (of: (query: WorstQueryModel) => string) =>
      [...new Set(run.worstQueries.map(of))].sort();
    const langs = distinct((query) => query.lang);
    const kinds = distinct((query) => query.setting);
    if (!langs.includes(lang)) lang = all;
    if (!kinds.includes(setting)) setting = all;
    const queries = run.worstQueries
      .filter(
        (query) => (lang === all || query.lang === lang) && (setting === all || query.setting === setting),
      )
      .sort((a, b) => (a.value ?? 2) - (b.value ?? 2));
    const select = (
      name: string,
      values: readonly string[],
      value: string,
      set: (value: string) => void,
      word = (text: string) => text,
    ) =>
      values.length > 1 &&
      choice(
        name,
        [{ value: all, text: 'all' }, ...values.map((text) => ({ value: text, text: word(text) }))],
        value,
        (next) => {
          set(next);
          draw();
        },
      );
    element.replaceChildren(
      h(
        'div',
        { class: 'controls' },
        runs.length > 1 &&
          choice(
            'run',
            runs.map(({ label }) => ({ value: label, text: label })),
            run.label,
            (value) => {
              chosen = value;
              draw();
            },
          ),
        select(
          'language',
          langs,
          lang,
          (value) => {
            lang = value;
          },
          (code) => `${code} ${languageName(code)}`,
        ),
        select('setting', kinds, setting, (value) => {
          setting = value;
        }),
      ),
      h('div', {}, queries.slice(0, most).map(card)),
      queries.length > most
        ? h(
            'p',
            { class: 'note' },
            `The first ${most} of ${queries.length}; choose a language or setting for others.`,
          )
        : '',
    );
  };
  view.onChange(draw);
  return { id: 'worst', title: 'Worst queries', element, draw };
}

function card(query: WorstQueryModel, index: number): HTMLElement {
  return h(
    'details',
    { class: 'query', open: index === 0 },
    h(
      'summary',
      {},
      h('span', { class: 'value' }, decimal(query.value)),
      h('span', { class: 'badge' }, query.lang),
      h('span', { class: 'badge' }, query.setting.replace('_', '-')),
      h('span', { class: 'query-text', dir: 'auto', lang: query.lang }, query.text || query.id),
    ),
    h(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': `ranking of ${query.id}` },
      h(
        'table',
        { class: 'ranking' },
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            ['rank', 'score'].map((name) => h('th', { scope: 'col', class: 'number' }, name)),
            ['lang', 'passage'].map((name) => h('th', { scope: 'col' }, name)),
          ),
        ),
        h(
          'tbody',
          {},
          query.ranking.map(({ rank, score, relevant, lang, text, id }) =>
            h(
              'tr',
              { class: relevant ? 'relevant' : null },
              h('td', { class: 'number' }, rank),
              h('td', { class: 'number' }, decimal(score)),
              h('td', { title: languageName(lang) }, lang),
              h(
                'td',
                { class: 'passage', dir: 'auto', lang, title: id },
                relevant && h('span', { class: 'badge', lang: 'en' }, '✓ relevant'),
                text || id,
              ),
            ),
          ),
        ),
      ),
    ),
  );
}
