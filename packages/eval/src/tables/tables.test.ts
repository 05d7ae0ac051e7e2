import { expect, test } from 'vitest';
import { publishedRows } from '../published.js';
import type { RetrievalReport } from '../report.js';
import { pairMatrix } from './pair-matrix.js';
import { settingsTable } from './settings-table.js';
import { textTable } from './text-table.js';

test('runs are rows, the three settings and rank distance columns', () => {
  const hybrid = {
    map: { monolingual: 0.5, cross_lingual: 0.25, multilingual: 1 / 3 },
    rank_distance: 12.345,
    measures: { 'Recall@1': { monolingual: 1, cross_lingual: null, multilingual: 0.125 } },
  };
  const one = { map: { monolingual: 1, cross_lingual: null, multilingual: 1 }, rank_distance: null };
  const rows = [
    { label: 'hybrid', summary: hybrid },
    { label: 'é', summary: one },
  ];
  expect(settingsTable(rows).split('\n')).toEqual([
    'run     mAP mono  mAP cross  mAP multi  rank distance',
    '------  --------  ---------  ---------  -------------',
    'hybrid    0.5000     0.2500     0.3333           12.3',
    'é         1.0000          -     1.0000              -',
  ]);
  const wide = settingsTable(rows, ['Recall@1']).split('\n');
  expect(wide[0]).toContain('Recall@1 mono  Recall@1 cross  Recall@1 multi');
  expect(wide[2]).toMatch(/^hybrid +0\.5000 +0\.2500 +0\.3333 +1\.0000 +- +0\.1250 +12\.3$/);
});

test('a name with a line break keeps its row in one line', () => {
  expect(textTable(['run', 'n'], [['a\r\nb\tc', '1']])).toBe('run    n\n-----  -\na b c  1');
});

test('published rows fit into the same table', () => {
  const rows = publishedRows
    .filter((row) => row.task === 'xquad-r')
    .map((row) => ({ label: `${row.model} ${row.training}`, summary: row }));
  expect(settingsTable(rows)).toMatch(/LaBSE hybrid +0\.8167 +0\.7672 +0\.6817 +221\.1/);
  expect(settingsTable(rows)).toMatch(/mBERT X-Y +- +- +0\.6600 +-/);
});

test('the matrix has queries in rows, pools in columns, the mixed pool last', () => {
  const report = {
    langs: ['en', 'de'],
    map_measure: 'AP',
    monolingual: { en: { AP: 0.9 }, de: { AP: 0.8 } },
    cross_lingual: { en: { de: { AP: 0.7 } }, de: {} },
    multilingual: { en: { AP: 0.6 }, de: { AP: 0.5 } },
  } as unknown as RetrievalReport;
  expect(pairMatrix(report).split('\n')).toEqual([
    'AP: query\\pool      en      de     all',
    '--------------  ------  ------  ------',
    'en              0.9000  0.7000  0.6000',
    'de                   -  0.8000  0.5000',
  ]);
});
