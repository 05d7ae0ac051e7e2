/**
 * Compares a plan's hand-written gradients with central differences of its own loss, on the device.
 *
 * Directional derivatives along random ±1 directions: each touches every element of a group of
 * tensors at once. The stencil has four points, so that a step can be large enough for f32. Before
 * the first run all transients are filled with NaN (a run on NaN weights and full live counts): what
 * reads beyond the live sizes then shows.
 */
import type { CompiledPlan, Executor, Plan } from '@synglot/gpu';
import { type ParameterLayout, ParameterStore } from '@synglot/nn';
import { uniform } from './random.js';

export interface GradientProblem {
  readonly plan: Plan;
  readonly layout: ParameterLayout;
  /** Weights and inputs alike, by parameter name. */
  readonly values: ReadonlyMap<string, Float32Array>;
  readonly feeds: Readonly<Record<string, ArrayBufferView>>;
  /** Feeds of the run that poisons the transients; full live counts. */
  readonly poisonFeeds: Readonly<Record<string, ArrayBufferView>>;
  /** Results that `loss` needs. */
  readonly reads: readonly string[];
  /** The scalar, in double precision, from the results. */
  loss(reads: Readonly<Record<string, Float32Array>>): number;
  /** Where a gradient is found when not in the accumulated `gradient` buffers: a result's name. */
  readonly gradientResults?: Readonly<Record<string, string>>;
  /** How many leading elements of a tensor are live; all when absent. The rest holds NaN. */
  readonly live?: Readonly<Record<string, number>>;
}

export interface GradientCheck {
  /** Tensors perturbed together; each on its own when absent. */
  readonly groups?: readonly (readonly string[])[];
  readonly directions?: number;
  /** Perturbation of each element. */
  readonly step?: number;
  /** Allowed error, of the group's gradient norm (what a random direction's derivative is about). */
  readonly relative?: number;
  readonly absolute?: number;
}

/** Throws when a directional derivative and the gradient's projection differ; names group and values. */
export async function checkGradients(
  executor: Executor,
  problem: GradientProblem,
  check: GradientCheck = {},
): Promise<void> {
  const probe = await Probe.open(executor, problem);
  try {
    const gradients = await probe.gradients();
    const groups = check.groups ?? [...problem.values.keys()].map((name) => [name]);
    const random = uniform(20_260_807);
    for (const group of groups) {
      const norm = Math.sqrt(group.reduce((sum, name) => sum + squares(gradients.get(name)!), 0));
      if (!(norm > 0))
        throw new Error(`${group.join(', ')}: the gradient is ${norm}; nothing would be checked`);
      const allowed = (check.relative ?? 1e-3) * norm + (check.absolute ?? 0);
      for (let index = 0; index < (check.directions ?? 6); index++) {
        const directions = new Map(
          group.map((name) => {
            const length = (gradients.get(name) as Float32Array).length;
            return [name, Float64Array.from({ length }, () => (random() < 0.5 ? -1 : 1))];
          }),
        );
        const numeric = await probe.derivative(directions, check.step ?? 2 ** -7);
        let analytic = 0;
        for (const [name, direction] of directions) {
          (gradients.get(name) as Float32Array).forEach((value, i) => {
            analytic += value * (direction[i] as number);
          });
        }
        if (Math.abs(numeric - analytic) <= allowed) continue;
        throw new Error(
          `${group.join(', ')}, direction ${index}: central differences give ${numeric} but the gradient ${analytic} ` +
            `(gradient norm ${norm}, allowed ${allowed})`,
        );
      }
    }
  } finally {
    probe.destroy();
  }
}

const squares = (values: Float32Array) => values.reduce((sum, value) => sum + value * value, 0);

class Probe {
  private constructor(
    private readonly problem: GradientProblem,
    private readonly store: ParameterStore,
    private readonly compiled: CompiledPlan,
  ) {}

  static async open(executor: Executor, problem: GradientProblem): Promise<Probe> {
    const store = new ParameterStore(executor, problem.layout);
    for (const kind of ['parameter', 'gradient']) store.allocate(kind);
    const probe = new Probe(problem, store, await executor.compile(problem.plan, store.externals));
    for (const [name, values] of problem.values) {
      await probe.#write('parameter', name, new Float32Array(values.length).fill(Number.NaN));
    }
    await probe.compiled.run({ feeds: problem.poisonFeeds });
    for (const [name, values] of problem.values) await probe.#write('parameter', name, values);
    return probe;
  }

  /** The gradients of one run, live elements only, by parameter name. */
  async gradients(): Promise<Map<string, Float32Array>> {
    const { problem } = this;
    for (const { name } of problem.layout.specsOf('gradient'))
      await this.#write(
        'gradient',
        name,
        new Float32Array((problem.values.get(name) as Float32Array).length),
      );
    const results = problem.gradientResults ?? {};
    const { reads } = await this.compiled.run({ feeds: problem.feeds, reads: Object.values(results) });
    const gradients = new Map<string, Float32Array>();
    for (const [name, values] of problem.values) {
      const result = results[name];
      const whole = result
        ? new Float32Array(reads[result] as ArrayBuffer)
        : await this.#accumulated(name, values.length);
      gradients.set(name, whole.slice(0, problem.live?.[name] ?? values.length));
    }
    return gradients;
  }

  /** d loss / d t at 0 of the loss at values + t · direction: five-point stencil, error O(step⁴). */
  async derivative(directions: ReadonlyMap<string, Float64Array>, step: number): Promise<number> {
    const at = async (t: number) => {
      for (const [name, direction] of directions) {
        const moved = Float32Array.from(
          this.problem.values.get(name) as Float32Array,
          (value, i) => value + t * (direction[i] ?? 0),
        );
        await this.#write('parameter', name, moved);
      }
      const { reads } = await this.compiled.run({ feeds: this.problem.feeds, reads: this.problem.reads });
      const floats = Object.entries(reads).map(([name, bytes]) => [name, new Float32Array(bytes)] as const);
      return this.problem.loss(Object.fromEntries(floats));
    };
    const near = (await at(step)) - (await at(-step));
    const far = (await at(2 * step)) - (await at(-2 * step));
    for (const name of directions.keys())
      await this.#write('parameter', name, this.problem.values.get(name)!);
    return (8 * near - far) / (12 * step);
  }

  destroy(): void {
    this.compiled.destroy();
    this.store.destroy();
  }

  /** What was accumulated; nothing for a frozen parameter. */
  async #accumulated(name: string, length: number): Promise<Float32Array> {
    return this.problem.layout.trains(name) ? this.store.read('gradient', name) : new Float32Array(length);
  }

  #write(kind: string, name: string, values: Float32Array): Promise<void> {
    const [, ...row] = this.problem.layout.shape(name);
    const columns = row.reduce((product, size) => product * size, 1);
    return this.store.loadOne(kind, name, async (_, begin, end) =>
      values.subarray(begin * columns, end * columns),
    );
  }
}
