/** What `native-worker.test.ts` runs: a worker for each device named opens it; prints what they are. */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { openExecutor } from '@synglot/gpu/node';

if (isMainThread) {
  const names = process.argv.slice(2).map(
    (device) =>
      new Promise((resolve, reject) => {
        new Worker(new URL(import.meta.url), { workerData: device })
          .once('message', resolve)
          .once('error', reject);
      }),
  );
  console.log(JSON.stringify(await Promise.all(names)));
} else {
  const executor = await openExecutor({ device: workerData, executor: 'native', cacheDir: '' });
  parentPort.postMessage(executor.device.name);
  executor.destroy();
}
