import { PlanBuilder, type Tensor } from '@synglot/gpu';
import { catalogue, type KernelName } from '@synglot/kernels';
import { describe, expect, test } from 'vitest';
import { ParameterLayout, type ParameterPart } from '../parameters.js';
import { clipResult, defaultAdamW, emitUpdate, type OptimizerOptions, optimizerState } from './optimizer.js';

const specs = [
  { name: 'embeddings.word_embeddings.weight', shape: [20, 8] },
  { name: 'embeddings.LayerNorm.weight', shape: [8] },
  { name: 'embeddings.LayerNorm.bias', shape: [8] },
  { name: 'encoder.layer.0.output.dense.weight', shape: [8, 16] },
  { name: 'encoder.layer.0.output.dense.bias', shape: [8] },
];

/** The plan of one update, with the word table in three parts. */
function updatePlan(options: OptimizerOptions) {
  const plan = new PlanBuilder('update');
  const tensors = new Map<string, Tensor>();
  const external = (kind: string, part: ParameterPart) => {
    const name = `${kind} ${part.key}`;
    const tensor = tensors.get(name) ?? plan.external(name, part.shape);
    tensors.set(name, tensor);
    return tensor;
  };
  emitUpdate(plan, new ParameterLayout(specs, 8 * 16 * 4), external, options);
  return plan.build();
}

/** Float params of every dispatch of `kernel`, by the key of the part that it updates. */
function paramsOf(options: OptimizerOptions, kernel: KernelName, field: string): Record<string, number> {
  const plan = updatePlan(options);
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
      'embeddings.LayerNorm.weight': 0,
      'embeddings.LayerNorm.bias': 0,
      'encoder.layer.0.output.dense.weight': decay,
      'encoder.layer.0.output.dense.bias': 0,
    });
  });

  test("'all' spares nothing, as one group of torch.optim does", () => {
    const options = { method: { kind: 'sgd', weightDecay: 0.01 }, maxGradientNorm: 1, decay: 'all' } as const;
    expect(new Set(Object.values(paramsOf(options, 'sgd', 'weight_decay')))).toEqual(new Set([decay]));
  });
});

describe('the update plan', () => {
  const options = { method: defaultAdamW, maxGradientNorm: 0.5, decay: 'all' } as const;

  test('every part is updated once, after the norm of all gradients', () => {
    const plan = updatePlan(options);
    const labels = plan.commands.map(
      (command) => command.kind === 'dispatch' && plan.kernels[command.kernel]?.label,
    );
    const parts = 6;
    expect(labels).toEqual([
      ...Array.from({ length: parts }, () => 'sum_of_squares_partial'),
      'clip_factor',
      ...Array.from({ length: parts }, () => 'adamw'),
    ]);
    expect(plan.buffers.find(({ name }) => name === clipResult)?.role).toBe('result');
  });

  test('the partial sums of the gradients lie side by side and fill what the clip factor sums', () => {
    const plan = updatePlan(options);
    const field = (bytes: Uint8Array, index: number) =>
      new DataView(bytes.buffer, bytes.byteOffset).getUint32(index * 4, true);
    let next = 0;
    for (const command of plan.commands) {
      if (command.kind !== 'dispatch') continue;
      const kernel = plan.kernels[command.kernel]?.label;
      if (kernel === 'sum_of_squares_partial') {
        expect(field(command.params, 1)).toBe(next);
        next += command.workgroups[0] * 64;
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
