/**
 * Puts one op in the middle of a graph: inputs → op → GELU → fixed random weights → loss, so that the
 * op's incoming gradient depends on its output.
 */
import {
  type Activation,
  type Axis,
  type CountSlot,
  type DeviceTraits,
  Graph,
  gelu,
  ParameterLayout,
  type ParameterSpec,
  packStep,
} from '@synglot/nn';
import type { GradientProblem } from './kernel-gradients.js';
import { poisonFrom } from './kernel-harness.js';
import { randomFloats } from './random.js';

type Counts = Readonly<Partial<Record<Exclude<CountSlot, 'all'>, number>>>;

/** What an op gives: its output, and a backward that returns the gradients of the inputs by name. */
interface EmittedOp {
  readonly output: Activation;
  backward(dOutput: Activation): Readonly<Record<string, Activation>>;
}

export interface OpProblem {
  /** Inputs by name: matrices [axis.capacity, columns]. */
  readonly inputs: Readonly<Record<string, { readonly axis: Axis; readonly columns: number }>>;
  /** Parameters whose gradients are accumulated by the op. */
  readonly parameters?: readonly ParameterSpec[];
  /** Live counts; at most the axes' capacities. */
  readonly counts: Counts;
  /** Data of feeds that `emit` declares. */
  readonly feeds?: Readonly<Record<string, Uint32Array>>;
  /** Binding limit that splits tables; none by default. */
  readonly bindingLimitBytes?: number;
  /** Magnitude of the random values; 1 by default. */
  readonly scale?: number;
  emit(g: Graph, inputs: Readonly<Record<string, Activation>>): EmittedOp;
}

const dropoutSeed = 4711;

/** Live rows of an axis. */
function liveRows(axis: Axis, counts: Counts): number {
  return axis.slot === 'all' ? axis.capacity : Math.min(axis.capacity, counts[axis.slot] ?? 0);
}

/** The gradient problem of one op, with the kernels for `device`. Dropout is on where the op asks for it, with a fixed seed. */
export function opProblem(device: DeviceTraits, problem: OpProblem): GradientProblem {
  const { inputs, counts } = problem;
  const names = Object.keys(inputs);
  const specs: ParameterSpec[] = [
    ...names.map((name) => ({ name, shape: [inputs[name]!.axis.capacity, inputs[name]!.columns] })),
    ...(problem.parameters ?? []),
  ];
  const layout = new ParameterLayout(specs, problem.bindingLimitBytes ?? 2 ** 27);
  const g = new Graph('op', layout, true, device);
  const activations = Object.fromEntries(
    names.map((name): [string, Activation] => [name, { ...inputs[name]!, tensor: g.parameter(name) }]),
  );
  const op = problem.emit(g, activations);
  const { axis, columns } = op.output;
  const further = gelu(g, op.output, 'further op');
  const shape = [axis.capacity, columns];
  g.plan.copy(further.output.tensor, g.plan.result('z', shape));
  const dZ: Activation = { tensor: g.plan.feed('d z', shape, 'f32'), axis, columns };
  const gradients = op.backward(further.backward(dZ));
  const gradientResults: Record<string, string> = {};
  for (const [name, gradient] of Object.entries(gradients)) {
    gradientResults[name] = `d ${name}`;
    g.plan.copy(gradient.tensor, g.plan.result(`d ${name}`, g.shape(name)));
  }
  const liveOutput = liveRows(axis, counts) * columns;
  const weights = poisonFrom(randomFloats(axis.capacity * columns, 991), liveOutput);
  const live: Record<string, number> = {};
  const values = new Map<string, Float32Array>();
  specs.forEach(({ name, shape: sizes }, index) => {
    const elements = sizes.reduce((product, size) => product * size, 1);
    const input = inputs[name];
    live[name] = input ? liveRows(input.axis, counts) * input.columns : elements;
    values.set(name, poisonFrom(randomFloats(elements, 100 + index, problem.scale ?? 1), live[name]));
  });
  const full = Object.fromEntries(Object.keys(counts).map((slot) => [slot, 2 ** 31]));
  const feeds = { ...problem.feeds, 'd z': weights };
  return {
    plan: g.plan.build(),
    layout,
    values,
    feeds: { ...feeds, step: packStep({ counts, seed: dropoutSeed }) },
    poisonFeeds: { ...feeds, step: packStep({ counts: full, seed: dropoutSeed }) },
    reads: ['z'],
    loss: ({ z }) => {
      let total = 0;
      for (let i = 0; i < liveOutput; i++)
        total += (weights[i] as number) * ((z as Float32Array)[i] as number);
      return total;
    },
    gradientResults,
    live,
  };
}
