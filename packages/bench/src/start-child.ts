/**
 * One start, timed by phase: what `start.ts` runs. Prints a line of JSON.
 *
 * Imports come one after the other in `await import`, so that the time they take is known.
 */
import { parseArgs } from 'node:util';
import { tellMistakes } from './arguments.js';

/**
 * The line of JSON. Seconds are wall clock, except `cpu`: processor time of all threads. `compile` is what is left
 * to wait for once the weights are made; `overhead` is `total` without the weights and without what a step takes.
 */
export interface StartedProcess {
  readonly device: string;
  readonly driver: string;
  readonly loss: number;
  readonly seconds: Readonly<
    Record<
      | 'modules'
      | 'device'
      | 'weights'
      | 'plan'
      | 'compile'
      | 'run'
      | 'total'
      | 'secondStep'
      | 'overhead'
      | 'cpu',
      number
    >
  >;
  readonly pipelines?: readonly PipelineTime[];
}

/** One pipeline alone: lavapipe compiles at the first dispatch, others when the pipeline is made. */
export interface PipelineTime {
  readonly kernel: string;
  readonly codeCharacters: number;
  readonly createCpuMs: number;
  readonly firstDispatchCpuMs: number;
}

tellMistakes();
const { values } = parseArgs({
  options: {
    device: { type: 'string' },
    executor: { type: 'string' },
    'no-cache': { type: 'boolean', default: false },
    pipelines: { type: 'boolean', default: false },
  },
});
const { openExecutor } = await import('@synglot/gpu/node');
const { openStepBench } = await import('./step-bench.js');
const { shapes } = await import('./shapes.js');
const { makeBatch } = await import('./workload.js');
const marks = { modules: performance.now() };
const executor = await openExecutor({
  ...(values.device ? { device: values.device } : {}),
  ...(values.executor ? { executor: values.executor as 'native' | 'webgpu' } : {}),
  ...(values['no-cache'] ? { cacheDir: '' } : {}),
});
const device = performance.now() - marks.modules;
const shape = shapes.peers as NonNullable<typeof shapes.peers>;
const step = await openStepBench(executor, { shape, batch: makeBatch(), optimizer: 'sgd' });
const opened = performance.now();
const loss = await step.run(0);
const total = performance.now();
const { user, system } = process.cpuUsage();
await step.run(1);
const secondStep = performance.now() - total;
const { weightsSeconds, planSeconds, compileSeconds } = step;
const result: StartedProcess = {
  device: executor.device.id,
  driver: `${executor.device.name}; ${executor.device.driver}`,
  loss,
  seconds: {
    modules: marks.modules / 1000,
    device: device / 1000,
    weights: weightsSeconds,
    plan: planSeconds,
    compile: compileSeconds,
    run: (total - opened) / 1000,
    total: total / 1000,
    secondStep: secondStep / 1000,
    overhead: (total - secondStep) / 1000 - weightsSeconds,
    cpu: (user + system) / 1e6,
  },
  ...(values.pipelines ? { pipelines: await pipelineTimes() } : {}),
};
console.log(JSON.stringify(result));
step.destroy();
executor.destroy();

/** Compiles and runs one workgroup of one dispatch of each pipeline, on a device that has seen none. */
async function pipelineTimes(): Promise<PipelineTime[]> {
  const fresh = await openExecutor({ ...(values.device ? { device: values.device } : {}), cacheDir: '' });
  const cpu = () => {
    const used = process.cpuUsage();
    return (used.user + used.system) / 1000;
  };
  const times: PipelineTime[] = [];
  for (const [index, kernel] of step.plan.kernels.entries()) {
    const command = step.plan.commands.find((one) => one.kind === 'dispatch' && one.kernel === index);
    if (command?.kind !== 'dispatch') continue;
    const buffers = step.plan.buffers.map(({ name, sizeBytes }, at) => ({
      name,
      sizeBytes,
      role: at === step.plan.stepBuffer ? ('feed' as const) : ('transient' as const),
    }));
    const created = cpu();
    const compiled = await fresh.compile({
      label: kernel.label,
      kernels: [kernel],
      buffers,
      stepBuffer: step.plan.stepBuffer,
      commands: [{ ...command, kernel: 0, workgroups: [1, 1, 1] }],
    });
    const dispatched = cpu();
    await compiled.run();
    times.push({
      kernel: kernel.label,
      codeCharacters: kernel.code.length,
      createCpuMs: Math.round(dispatched - created),
      firstDispatchCpuMs: Math.round(cpu() - dispatched),
    });
    compiled.destroy();
  }
  fresh.destroy();
  return times.sort((a, b) => b.firstDispatchCpuMs + b.createCpuMs - a.firstDispatchCpuMs - a.createCpuMs);
}
