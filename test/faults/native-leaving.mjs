/** What `native-leaving.test.ts` runs in a process of its own: `node native-leaving.mjs <how> <device>`. */
import { readlinkSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { openExecutor } from '@synglot/gpu/node';

const [how, device] = isMainThread ? process.argv.slice(2) : ['work', workerData];
const open = (executor = 'native') => openExecutor({ device, executor, cacheDir: '' });

const plan = {
  label: 'count',
  kernels: [
    {
      label: 'count',
      code: '@group(0) @binding(0) var<storage, read_write> y: array<f32>; @compute @workgroup_size(1) fn main() { y[0] += 1; }',
      access: ['read_write'],
      paramsSizeBytes: 0,
      usesStep: false,
    },
  ],
  buffers: [{ name: 'y', sizeBytes: 4, role: 'result' }],
  commands: [
    { kind: 'dispatch', kernel: 0, buffers: [0], params: new Uint8Array(), workgroups: [1, 1, 1], label: '' },
  ],
  stepBuffer: -1,
};

/** In a function of its own, whose variables are gone when it has returned. */
async function destroyAtWork(profile) {
  const executor = await open('webgpu');
  const compiled = await executor.compile(plan);
  const reads = profile ? [] : ['y'];
  const runs = Array.from({ length: profile ? 1 : 8 }, () => compiled.run({ profile, reads }));
  executor.destroy();
  await Promise.allSettled(runs);
}

const ways = {
  /** By `process.exit` while Dawn looks at the adapters: what is written to standard error is then kept back. */
  async opening() {
    const openOften = () => open().then((executor) => [executor.destroy(), openOften()]);
    void openOften();
    while (!readlinkSync('/proc/self/fd/2').includes('synglot-stderr')) await new Promise(setImmediate);
    console.error('said meanwhile');
    process.exit(3);
  },

  /** Workers are terminated while their runs are settled. */
  async worker() {
    for (let round = 0; round < 8; round++) {
      const worker = new Worker(new URL(import.meta.url), { workerData: device });
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
      await new Promise((resolve) => setTimeout(resolve, round));
      await worker.terminate();
    }
    console.log('survived');
  },

  /** Devices of npm `webgpu` are destroyed while they work, and collected at once. */
  async collected() {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc');
    for (let round = 0; round < 40; round++) {
      // Timestamps are read back after the rest: when the device is gone already.
      await destroyAtWork(round % 2 === 0);
      for (let turn = 0; turn < 4; turn++) {
        collect();
        await new Promise(setImmediate);
      }
    }
    console.log('survived');
  },

  /** One device after the other: says by how many MB the process has grown from the 10th to the 60th. */
  async again() {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc');
    let before = 0;
    for (let round = 1; round <= 60; round++) {
      const executor = await open();
      await (await executor.compile(plan)).run();
      executor.destroy();
      collect();
      if (round === 10) before = process.memoryUsage.rss();
    }
    console.log(Math.round((process.memoryUsage.rss() - before) / 2 ** 20));
  },

  async work() {
    const compiled = await (await open()).compile(plan);
    parentPort.postMessage('running');
    for (;;) await Promise.all(Array.from({ length: 8 }, () => compiled.run({ reads: ['y'] })));
  },
};

await ways[how]();
