import type { Plan } from '@synglot/gpu';
import { describe, expect, test } from 'vitest';
import type { EncoderConfig } from '../encoder/config.js';
import { contrastive } from '../loss/contrastive.js';
import type { LossDirection } from '../loss/info-nce.js';
import { defaultAdamW } from '../optim/optimizer.js';
import { encoderParameters, ParameterLayout } from '../parameters.js';
import { buildClearPlan, buildTrainPlan, buildUpdatePlan, type TrainPlanOptions } from './train-plan.js';

const config: EncoderConfig = {
  family: 'bert',
  vocabularySize: 64,
  hiddenSize: 8,
  layers: 2,
  heads: 2,
  intermediateSize: 16,
  maxPositions: 16,
  typeVocabularySize: 2,
  layerNormEpsilon: 1e-5,
  hiddenDropout: 0.1,
  attentionDropout: 0.1,
  positionOffset: 0,
  initializerRange: 0.02,
};
const pooling = { mode: 'mean', normalize: true } as const;
const layout = new ParameterLayout(encoderParameters(config, pooling), 24 * 8 * 4);
const optimizer = { method: defaultAdamW, maxGradientNorm: 1, decay: 'matrices' } as const;

function build(mode: TrainPlanOptions['mode'], more: Partial<TrainPlanOptions> = {}): Plan {
  return buildTrainPlan({
    config,
    pooling,
    layout,
    capacity: { tokens: 32, queries: 4, candidates: 8 },
    objectives: [contrastive({ temperature: 0.05, direction: 'both' })],
    mode,
    ...more,
  });
}

const externals = (plan: Plan, kind: string) =>
  plan.buffers
    .filter(({ name, role }) => role === 'external' && name.startsWith(`${kind} `))
    .map(({ name }) => name);
const partNames = (kind: string) => layout.all().map(({ key }) => `${kind} ${key}`);
const slabNames = (kind: string) =>
  layout.slabsOf(kind).map(({ index, elements }) => `${kind} slab ${index} [0, ${elements})`);

/** Names of the external buffers that the commands of a kind touch. */
function touched(plan: Plan, kind: 'clear' | 'dispatch'): Set<string> {
  const indices = plan.commands.flatMap((command) => {
    if (command.kind === 'clear' && kind === 'clear') return [command.buffer];
    return command.kind === 'dispatch' && kind === 'dispatch' ? command.buffers : [];
  });
  return new Set(indices.map((index) => plan.buffers[index]?.name ?? ''));
}

describe('step', () => {
  test('touches every parameter, gradient and moment, and clears every gradient first', () => {
    const plan = build('step', { optimizer });
    for (const kind of ['parameter', 'gradient']) {
      expect(externals(plan, kind).sort()).toEqual([...partNames(kind), ...slabNames(kind)].sort());
    }
    for (const kind of ['first moment', 'second moment'])
      expect(externals(plan, kind)).toEqual(slabNames(kind));
    expect([...touched(plan, 'clear')]).toEqual(slabNames('gradient'));
    const firstDispatch = plan.commands.findIndex(({ kind }) => kind === 'dispatch');
    const lastClear = plan.commands.findLastIndex(({ kind }) => kind === 'clear');
    expect(lastClear).toBeLessThan(firstDispatch);
  });

  test('needs an optimizer', () => {
    expect(() => build('step')).toThrow(/needs an optimizer/);
  });
});

test('accumulate adds to every gradient and clears none', () => {
  const plan = build('accumulate');
  for (const name of partNames('gradient')) expect(touched(plan, 'dispatch')).toContain(name);
  expect(plan.commands.some(({ kind }) => kind === 'clear')).toBe(false);
});

test('evaluate has neither gradients nor dropout', () => {
  const plan = build('evaluate');
  expect(externals(plan, 'gradient')).toEqual([]);
  expect(plan.kernels.map(({ label }) => label)).not.toContain('dropout');
  for (const { code } of plan.kernels) expect(code).not.toContain('const HAS_DROPOUT: bool = true');
});

test('the loss of each direction is computed where it counts', () => {
  const losses = (direction: LossDirection) =>
    build('step', {
      objectives: [contrastive({ temperature: 0.05, direction })],
      optimizer,
    }).commands.flatMap((command) =>
      command.kind === 'dispatch' && command.label.startsWith('loss of') ? [command.label] : [],
    );
  expect(losses('query-to-passage')).toEqual(['loss of queries']);
  expect(losses('passage-to-query')).toEqual(['loss of positives']);
  expect(losses('both')).toEqual(['loss of queries', 'loss of positives']);
});

test('training has dropout in attention, embeddings and sub-layers', () => {
  const plan = build('accumulate');
  const dropping = plan.kernels.filter(({ code }) => code.includes('const HAS_DROPOUT: bool = true'));
  const labels = dropping.map(({ label }) => label);
  expect(labels).toContain('attention_forward_workgroup');
  expect(labels).toContain('attention_backward_query_workgroup');
  expect(labels).toContain('attention_backward_key_value_workgroup');
  expect(labels).toContain('residual_layer_norm_forward_workgroup');
  expect(plan.kernels.map(({ label }) => label)).toContain('dropout');
});

describe('recomputation', () => {
  const transientBytes = (plan: Plan) =>
    plan.buffers.reduce((sum, { role, sizeBytes }) => sum + (role === 'transient' ? sizeBytes : 0), 0);
  const labels = (plan: Plan) =>
    plan.commands.flatMap((command) => (command.kind === 'dispatch' ? [command.label] : []));
  const deep = { ...config, layers: 8 };
  const deepLayout = new ParameterLayout(encoderParameters(deep, pooling), 2 ** 20);
  const of = (recompute: boolean) => build('accumulate', { config: deep, layout: deepLayout, recompute });

  test('memory then hardly grows with the layers', () => {
    expect(transientBytes(of(true))).toBeLessThan(0.5 * transientBytes(of(false)));
  });

  test('every layer but the last is emitted again, after the one above was sent backward', () => {
    const emitted = labels(of(true));
    for (let layer = 0; layer < deep.layers; layer++) {
      const times = emitted.filter((label) => label === `layer ${layer} intermediate`).length;
      expect(times).toBe(layer === deep.layers - 1 ? 1 : 2);
    }
    const again = emitted.lastIndexOf('layer 3 intermediate');
    expect(again).toBeGreaterThan(emitted.lastIndexOf('d layer 4 intermediate input'));
    expect(again).toBeLessThan(emitted.indexOf('d layer 3 intermediate input'));
    expect(labels(of(false)).filter((label) => label === 'layer 0 intermediate').length).toBe(1);
  });
});

test.each(['cpu', 'discrete-gpu'] as const)('the update alone has the kernels of a step on a %s', (type) => {
  const device = { type, subgroups: { minSize: 0, maxSize: 0 } };
  const update = buildUpdatePlan(layout, optimizer, { device });
  const ofSteps = new Set(build('step', { optimizer, device }).kernels.map(({ code }) => code));
  expect(update.kernels.map(({ label }) => label)).toContain('sum_of_squares_partial');
  for (const { code, label } of update.kernels) expect(ofSteps.has(code), label).toBe(true);
});

test('the update and the clear plan cover every slab', () => {
  expect(externals(buildUpdatePlan(layout, optimizer), 'parameter')).toEqual(slabNames('parameter'));
  expect([...touched(buildClearPlan(layout), 'clear')]).toEqual(slabNames('gradient'));
});
