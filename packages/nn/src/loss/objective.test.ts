import { expect, test } from 'vitest';
import { Graph } from '../graph.js';
import { ParameterLayout } from '../parameters.js';
import { contrastive } from './contrastive.js';
import {
  type BatchEmbeddings,
  EmbeddingGradients,
  emitObjectives,
  type Objective,
  weighObjectives,
} from './objective.js';

function open(): { g: Graph; embeddings: BatchEmbeddings } {
  const g = new Graph('objectives', new ParameterLayout([], 0), true);
  const rows = (name: string, slot: 'queries' | 'candidates') => {
    const matrix = g.activation(name, { capacity: 4, slot }, 8);
    g.plan.clear(matrix.tensor);
    return matrix;
  };
  return {
    g,
    embeddings: { queries: rows('queries', 'queries'), candidates: rows('candidates', 'candidates') },
  };
}

const plain = contrastive({ temperature: 0.1, direction: 'both' });
/** An objective that gives the queries a gradient of its own, and the candidates none. */
const queriesOnly: Objective = {
  name: 'queries_only',
  weight: 0.5,
  results: [],
  emit: (g, { queries }) => ({
    backward(into) {
      const own = g.activation('own gradient', queries.axis, queries.columns);
      g.plan.clear(own.tensor);
      into.queries.add(own, 'own gradient of the queries');
    },
  }),
  value: () => 3,
};

/** What the plan does to gradients, in order. */
function emitted(objectives: readonly Objective[]): string[] {
  const { g, embeddings } = open();
  const { dQueries, dCandidates } = emitObjectives(g, objectives, embeddings).backward();
  g.plan.copy(dQueries.tensor, g.plan.result('dq', [4, 8]));
  g.plan.copy(dCandidates.tensor, g.plan.result('dc', [4, 8]));
  const plan = g.plan.build();
  const adds = plan.kernels.map(({ code }) => code.includes('const ACCUMULATE: bool = true'));
  return plan.commands.flatMap((command) =>
    command.kind === 'dispatch' ? [`${command.label}${adds[command.kernel] ? ' +' : ''}`] : [],
  );
}

test('the first objective overwrites, those after it add, in order', () => {
  expect(emitted([plain]).slice(-2)).toEqual(['d query embeddings', 'd candidate embeddings']);
  expect(emitted([queriesOnly, plain]).slice(-4)).toEqual([
    'own gradient of the queries',
    'd similarity',
    'd query embeddings +',
    'd candidate embeddings',
  ]);
});

test('embeddings that no objective looks at have a gradient of zero', () => {
  const { g, embeddings } = open();
  const { dCandidates } = emitObjectives(g, [queriesOnly], embeddings).backward();
  g.plan.copy(dCandidates.tensor, g.plan.result('dc', [4, 8]));
  const { commands } = g.plan.build();
  expect(commands.slice(-2).map(({ kind }) => kind)).toEqual(['clear', 'copy']);
});

test('a plan needs an objective, and one of each name', () => {
  const { g, embeddings } = open();
  expect(() => emitObjectives(g, [], embeddings)).toThrow(/at least one training objective/);
  expect(() => emitObjectives(g, [queriesOnly, queriesOnly], embeddings)).toThrow(/two .* 'queries_only'/i);
});

test('the loss is the weighted sum; a value without weight is reported and counts nothing', () => {
  const unweighted = { ...queriesOnly, name: 'other', weight: 0, value: () => Number.NaN };
  const { loss, values } = weighObjectives([queriesOnly, unweighted], (objective) =>
    objective.value({}, { queries: 1, candidates: 1 }),
  );
  expect(loss).toBe(1.5);
  expect(values).toEqual({ queries_only: 3, other: Number.NaN });
});

test('gradients have the shape of the embeddings', () => {
  const { g, embeddings } = open();
  const { queries } = new EmbeddingGradients(g, embeddings);
  expect(queries.total).toMatchObject({ axis: embeddings.queries.axis, columns: 8 });
});
