/** What a dispatch costs the host: what `host-dispatch.ts` runs. Prints a line of JSON. */
import { parseArgs } from 'node:util';
import { openExecutor } from '@synglot/gpu/node';
import { tellMistakes } from './arguments.js';
import { seededBatch, tinyShape } from './shapes.js';
import { type Spread, spread } from './statistics.js';
import { openStepBench, type StepHostTime } from './step-bench.js';

const warmUps = 10;

/** The line of JSON: microseconds of processor time a dispatch, of the thread that does it. */
export interface DispatchCost {
  readonly dispatches: number;
  readonly pipelines: number;
  readonly us_a_dispatch: Readonly<
    Record<
      'feeds' | 'record' | 'submit' | 'before_the_device' | 'record_ahead' | 'total' | 'javascript_call',
      Spread
    >
  >;
}

tellMistakes();
const { values } = parseArgs({
  options: {
    device: { type: 'string' },
    runs: { type: 'string', default: '200' },
    empty: { type: 'boolean', default: false },
    unchecked: { type: 'boolean', default: false },
  },
});
const { empty, unchecked } = values;
const executor = await openExecutor({
  executor: 'native',
  unchecked,
  ...(values.device ? { device: values.device } : {}),
});
const shape = tinyShape(512, 12);
const batch = seededBatch(4, 2, shape.encoder.vocabularySize);
const step = await openStepBench(executor, { shape, batch, optimizer: 'adamw', empty });
const dispatches = step.plan.commands.filter(({ kind }) => kind === 'dispatch').length;
const measured: StepHostTime[] = [];
for (let run = 0; run < warmUps + Number(values.runs); run++) {
  const host = await step.measureHost(run);
  if (run >= warmUps) measured.push(host);
}
const aDispatch = (of: (host: StepHostTime) => number) =>
  spread(measured.map((host) => of(host) / 1000 / dispatches));
const cost: DispatchCost = {
  dispatches,
  pipelines: step.plan.kernels.length,
  us_a_dispatch: {
    feeds: aDispatch(({ feedsNs }) => feedsNs),
    record: aDispatch(({ encodeNs }) => encodeNs),
    submit: aDispatch(({ submitNs }) => submitNs),
    before_the_device: aDispatch(({ feedsNs, encodeNs, submitNs }) => feedsNs + encodeNs + submitNs),
    record_ahead: aDispatch(({ aheadNs }) => aheadNs),
    total: aDispatch(({ feedsNs, encodeNs, submitNs, aheadNs }) => feedsNs + encodeNs + submitNs + aheadNs),
    javascript_call: aDispatch(({ callNs }) => callNs),
  },
};
console.log(JSON.stringify(cost));
step.destroy();
executor.destroy();
