import { expect, test } from 'vitest';
import { PlanBuilder, stepFeedSizeBytes } from './plan-builder.js';
import { planMemory } from './plan-memory.js';

test('the peak is where most bytes are live, and the pool is what lifetimes allow', () => {
  const plan = new PlanBuilder('three steps');
  const weights = plan.external('weights', [1000]);
  const input = plan.feed('input', [4], 'f32');
  const output = plan.result('output', [8]);
  const small = plan.transient('small', [8]);
  const large = plan.transient('large', [64]);
  const later = plan.transient('later', [64]);
  const tanh = (label: string, x: typeof input, y: typeof input) =>
    plan.dispatch('tanh_forward', {
      label,
      workgroups: [1] as const,
      bindings: { x, y },
      params: { rows: 1, rows_count: 0, columns: 4 },
    });
  tanh('reads the weights', weights, small);
  tanh('widens', small, large);
  tanh('narrows', large, small);
  tanh('widens again', small, later);
  tanh('ends', later, output);
  const memory = planMemory(plan.build());
  expect(memory).toMatchObject({
    dispatches: 5,
    pipelines: 1,
    copiesAndClears: 0,
    ownBytes: { feed: 16 + stepFeedSizeBytes, result: 32, transient: 32 + 256 },
    pool: { tensors: 3, buffers: 2, unsharedBytes: 32 + 256 + 256 },
    peak: { command: 1, label: 'widens', liveBytes: 32 + 256 },
  });
  expect(memory.peak.tensors.map(({ name }) => name)).toEqual(['large', 'small']);
});

test('a tensor that is read for the last time is live beside what is made of it', () => {
  const plan = new PlanBuilder('meeting');
  const [one, two] = [plan.transient('one', [16]), plan.transient('two', [8])];
  plan.clear(one);
  plan.copy(one, plan.transient('copied', [16]));
  plan.clear(two);
  expect(planMemory(plan.build()).peak).toMatchObject({ command: 1, liveBytes: 64 + 64 });
});

test('an empty plan takes nothing', () => {
  const { peak, ownBytes } = planMemory(new PlanBuilder('empty').build());
  expect(peak).toEqual({ command: 0, label: '', liveBytes: 0, tensors: [] });
  expect(ownBytes).toEqual({ feed: 0, result: 0, transient: 0 });
});
