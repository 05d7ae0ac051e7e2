import type { BufferRange, Plan, PlanBuffer } from '@synglot/gpu';
import { catalogue, type KernelName } from '@synglot/kernels';
import { describe, expect, test } from 'vitest';
import { Graph } from '../graph.js';
import { ParameterLayout } from '../parameters.js';
import { clipResult, defaultAdamW, emitUpdate, type OptimizerOptions, optimizerState } from './optimizer.js';

const specs = [
  { name: 'embeddings.word_embeddings.weight', shape: [20, 8] },
  { name: 'embeddings.LayerNorm.weight', shape: [8] },
  { name: 'embeddings.LayerNorm.bias', shape: [8] },
  { name: 'encoder.layer.0.output.dense.weight', shape: [8, 16] },
  { name: 'encoder.layer.0.output.dense.bias', shape: [8] },
];

/** The plan of one update; a limit of 8 · 16 · 4 bytes cuts the word table in two, and fills each slab with one matrix. */
function updatePlan(options: OptimizerOptions, limitBytes: number) {
  const g = new Graph('update', new ParameterLayout(specs, limitBytes), true);
  emitUpdate(g, options);
  return g.plan.build();
}

/** Float params of every dispatch of `kernel`, by what it updates. */
function paramsOf(options: OptimizerOptions, kernel: KernelName, field: string): Record<string, number> {
  const plan = updatePlan(options, 8 * 16 * 4);
  const index = catalogue[kernel].params.findIndex(({ name }) => name === field);
  const entries = plan.commands.flatMap((command) => {
    if (command.kind !== 'dispatch' || plan.kernels[command.kernel]?.label !== kernel) return [];
    const view = new DataView(command.params.buffer, command.params.byteOffset);
    return [[command.label.replace('update ', ''), view.getFloat32(index * 4, true)] as const];
  });
  return Object.fromEntries(entries);
}

const decay = Math.fround(0.01);

describe('weight decay', () => {
  test("'matrices' spares biases and layer norms, as transformers' Trainer does", () => {
    const options = { method: defaultAdamW, maxGradientNorm: 1, decay: 'matrices' } as const;
    expect(paramsOf(options, 'adamw', 'weight_decay')).toEqual({
      'embeddings.word_embeddings.weight[0]': decay,
      'embeddings.word_embeddings.weight[1]': decay,
      'encoder.layer.0.output.dense.weight': decay,
      'embeddings.LayerNorm.weight and 1 more': 0,
      'encoder.layer.0.output.dense.bias': 0,
    });
  });

  test("'all' spares nothing, as one group of torch.optim does", () => {
    const options = { method: { kind: 'sgd', weightDecay: 0.01 }, maxGradientNorm: 1, decay: 'all' } as const;
    expect(new Set(Object.values(paramsOf(options, 'sgd', 'weight_decay')))).toEqual(new Set([decay]));
  });
});

test('a parameter with a range is brought back into it', () => {
  const g = new Graph('update', new ParameterLayout([{ name: 't', shape: [4], range: [-1, 2] }], 1024), true);
  emitUpdate(g, { method: defaultAdamW, maxGradientNorm: 1, decay: 'all' });
  const plan = g.plan.build();
  const last = plan.commands.at(-1);
  if (last?.kind !== 'dispatch') throw new Error('expected a dispatch');
  expect(plan.kernels[last.kernel]?.label).toBe('clamp');
  const view = new DataView(last.params.buffer, last.params.byteOffset);
  expect([view.getUint32(0, true), view.getFloat32(4, true), view.getFloat32(8, true)]).toEqual([4, -1, 2]);
});

describe('the update plan', () => {
  const options = { method: defaultAdamW, maxGradientNorm: 0.5, decay: 'all' } as const;

  const dispatches = (plan: Plan) =>
    plan.commands.flatMap((command) =>
      command.kind === 'dispatch' ? [`${plan.kernels[command.kernel]?.label}: ${command.label}`] : [],
    );

  test('every slab is updated at once, after the norm of all gradients', () => {
    const plan = updatePlan(options, 2 ** 20);
    expect(dispatches(plan)).toEqual([
      'sum_of_squares_partial: squared norm of gradient slab 0',
      'sum_of_squares_partial: squared norm of gradient slab 1',
      'sum_of_squares_partial: squared norm of gradient slab 2',
      'clip_factor: clip factor',
      'adamw: update embeddings.word_embeddings.weight',
      'adamw: update embeddings.LayerNorm.weight and 2 more',
      'adamw: update encoder.layer.0.output.dense.weight',
    ]);
    expect(plan.buffers.find(({ name }) => name === clipResult)?.role).toBe('result');
  });

  test('a slab is split where the settings change, and nothing of it is left out or done twice', () => {
    const groups = [{ parameters: ['embeddings.LayerNorm.bias'], learningRateScale: 2 }];
    const plan = updatePlan({ ...options, groups }, 2 ** 20);
    expect(dispatches(plan).filter((label) => label.startsWith('adamw'))).toEqual([
      'adamw: update embeddings.word_embeddings.weight',
      'adamw: update embeddings.LayerNorm.weight',
      'adamw: update embeddings.LayerNorm.bias',
      'adamw: update encoder.layer.0.output.dense.bias',
      'adamw: update encoder.layer.0.output.dense.weight',
    ]);
    const updated = plan.commands.flatMap((command) => {
      if (command.kind !== 'dispatch' || !command.label.startsWith('update')) return [];
      const { within, sizeBytes } = plan.buffers[command.buffers[2] as number] as PlanBuffer;
      return [{ ...(within as BufferRange), sizeBytes }];
    });
    expect(updated).toEqual([
      { name: 'parameter slab 0', offsetBytes: 0, sizeBytes: 20 * 8 * 4 },
      { name: 'parameter slab 1', offsetBytes: 0, sizeBytes: 256 },
      { name: 'parameter slab 1', offsetBytes: 256, sizeBytes: 256 },
      { name: 'parameter slab 1', offsetBytes: 512, sizeBytes: 8 * 4 },
      { name: 'parameter slab 2', offsetBytes: 0, sizeBytes: 8 * 16 * 4 },
    ]);
  });

  test('the partial sums of the gradients lie side by side and fill what the clip factor sums', () => {
    const plan = updatePlan(options, 8 * 16 * 4);
    const field = (bytes: Uint8Array, index: number) =>
      new DataView(bytes.buffer, bytes.byteOffset).getUint32(index * 4, true);
    let next = 0;
    for (const command of plan.commands) {
      if (command.kind !== 'dispatch') continue;
      const kernel = plan.kernels[command.kernel]?.label;
      if (kernel === 'sum_of_squares_partial') {
        expect(field(command.params, 1)).toBe(next);
        next += command.workgroups[0];
      }
      if (kernel === 'clip_factor') expect(field(command.params, 0)).toBe(next);
    }
    expect(next).toBeGreaterThan(0);
  });

  test('the state that a method needs', () => {
    expect(optimizerState(options)).toEqual(['first moment', 'second moment']);
    expect(optimizerState({ ...options, method: { kind: 'sgd', weightDecay: 0 } })).toEqual([]);
  });
});
