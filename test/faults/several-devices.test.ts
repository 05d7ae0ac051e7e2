/**
 * Several Vulkan devices at once: the two software drivers in one list of the loader's, and one driver twice, which is
 * two devices of one name. Several GPUs are told apart the same way.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import type { Executor } from '@synglot/gpu';
import { loadNative } from '@synglot/native';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { matchDevice, slug } from '../../packages/gpu/src/node/device-choice.js';
import {
  type Finder,
  type FoundAdapter,
  findEach,
  findGpus,
  withDevice,
} from '../../packages/gpu/src/node/find-devices.js';
import { describeNativeAdapter, openNativeExecutor } from '../../packages/gpu/src/node/native-executor.js';
import {
  hasSystemLoader,
  lavapipeIcd,
  swiftShaderIcd,
  withDriver,
} from '../../packages/gpu/src/node/vulkan-driver.js';
import { layerMissing, listVulkanDevices } from '../../packages/gpu/src/node/vulkan-gpus.js';
import {
  describeWebGpuAdapter,
  listWebGpuAdapters,
  openWebGpuNodeExecutor,
} from '../../packages/gpu/src/node/webgpu-node.js';
import { runCliWell } from '../support/cli.js';
import { axpyPlan, dispatch, ramp, rawDevice, readY } from './native-support.js';

const icds = { lavapipe: lavapipeIcd(), swiftshader: swiftShaderIcd() };
const missing =
  layerMissing() ??
  (hasSystemLoader() ? undefined : 'no Vulkan loader') ??
  (icds.lavapipe && icds.swiftshader ? undefined : 'lavapipe or SwiftShader is not installed');

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'synglot-devices-'));
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

function stubDrivers(...files: readonly string[]): void {
  for (const name of ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES']) vi.stubEnv(name, files.join(delimiter));
}

const toggles = { enabledToggles: [], disabledToggles: [] };
type Opened = Pick<FoundAdapter, 'id' | 'adapterName'>;

function nativeFinder(cacheDir = '') {
  const core = loadNative();
  const options = { ...toggles, cacheDir, timeoutMs: 60_000 };
  return {
    describe: async () => describeNativeAdapter(await core.describeAdapter(options)),
    open: ({ id }: Opened) => openNativeExecutor(core, id, options),
  };
}

const named = (adapterName: string | undefined) => ({ ...toggles, ...(adapterName ? { adapterName } : {}) });
const webGpuFinder = () => ({
  describe: (adapterName?: string) => describeWebGpuAdapter(named(adapterName)),
  names: () => listWebGpuAdapters(toggles),
  open: ({ id, adapterName }: Opened) => openWebGpuNodeExecutor(id, named(adapterName)),
});

const finders = { native: nativeFinder, webgpu: webGpuFinder };
const list = ({ describe }: Finder) => withDriver('gpu', () => listVulkanDevices(describe));
const places = [{ place: 0 }, { place: 1 }];

async function compute(executor: Executor): Promise<number[]> {
  const plan = await executor.compile(axpyPlan([dispatch(2)]));
  return readY(plan, { x: ramp });
}

describe.skipIf(missing).each(['native', 'webgpu'] as const)(
  `several devices, %s executor${missing ? ` (${missing})` : ''}`,
  (kind) => {
    it('are listed by the loader, described and opened one by one, by name and by place', async () => {
      stubDrivers(icds.swiftshader as string, icds.lavapipe as string);
      const finder = finders[kind]();
      const listed = await list(finder);
      expect(listed.map(({ type }) => type)).toEqual(['cpu', 'cpu']);
      expect(listed.map(({ name }) => name).join()).toMatch(/SwiftShader.*llvmpipe|llvmpipe.*SwiftShader/);

      const taken = (await withDriver('gpu', finder.describe)).name;
      const found = await findEach(places, taken, finder);
      expect(found.map(({ id }) => id)).toEqual(['gpu:0', 'gpu:1']);
      expect(found.map(({ name = '' }) => /^llvm/i.test(name))).toEqual(
        listed.map(({ name }) => /^llvm/i.test(name)),
      );
      expect(found.filter(({ preferred }) => preferred).map(({ name }) => name)).toEqual([taken]);

      // Both are open at once, and Dawn's own choice is as it was.
      const opened: Executor[] = [];
      for (const text of ['LLVMpipe', 'subzero', found.find(({ preferred }) => !preferred)!.id]) {
        const device = matchDevice({ text, from: 'device' }, found);
        const executor = await withDevice(device, () => finder.open(device));
        expect(executor.device).toMatchObject({ id: device.id, name: device.name });
        opened.push(executor);
      }
      for (const executor of opened) {
        expect((await compute(executor)).slice(0, 3)).toEqual([0, 2, 4]);
        executor.destroy();
      }
      expect((await withDriver('gpu', finder.describe)).name).toBe(taken);
      for (const name of ['VK_INSTANCE_LAYERS', 'VK_LAYER_PATH', 'SYNGLOT_VULKAN_DEVICE']) {
        expect(process.env[name], name).toBeUndefined();
      }
    });

    it('of one name are told apart by their places', async () => {
      const { ICD, ...rest } = JSON.parse(await readFile(icds.swiftshader as string, 'utf8'));
      const library = resolve(icds.swiftshader as string, '..', ICD.library_path);
      const twins = ['a.json', 'b.json'].map((name) => join(folder, name));
      for (const path of twins) {
        await writeFile(path, JSON.stringify({ ...rest, ICD: { ...ICD, library_path: library } }));
      }
      stubDrivers(...twins);
      const finder = finders[kind]();
      const listed = await list(finder);
      expect(listed.length).toBe(2);
      const found = await findEach(places, (await withDriver('gpu', finder.describe)).name, finder);
      expect(found.map(({ preferred }) => preferred === true)).toEqual([true, false]);
      expect(() => matchDevice({ text: 'SwiftShader', from: 'device' }, found)).toThrow(
        /'SwiftShader' is in the name of gpu:0 \(.*, gpu:1 \(.*; name one by its id/,
      );
      const second = matchDevice({ text: 'gpu:1', from: 'device' }, found);
      const executor = await withDevice(second, () => finder.open(second));
      expect((await compute(executor)).slice(0, 3)).toEqual([0, 2, 4]);
      executor.destroy();
    });

    it('that are software are no GPUs', async () => {
      stubDrivers(icds.swiftshader as string, icds.lavapipe as string);
      const found = await findGpus(finders[kind]());
      expect(found).toEqual([{ id: 'gpu', driver: 'gpu', problem: expect.stringContaining('is no GPU') }]);
    });

    it('lack one that was there when they were listed', async () => {
      stubDrivers(icds.swiftshader as string);
      const [gone] = await findEach([{ place: 1 }], undefined, finders[kind]());
      expect(gone).toMatchObject({ id: 'gpu:0', problem: expect.stringContaining('no usable adapter') });
    });
  },
);

it.skipIf(missing)('npm webgpu alone takes devices by their names', async () => {
  stubDrivers(icds.swiftshader as string, icds.lavapipe as string);
  const finder = webGpuFinder();
  const names = await withDriver('gpu', finder.names);
  expect([...names].sort().join()).toMatch(/^SwiftShader.*,llvmpipe/);
  const found = await findEach(
    names.map((adapterName) => ({ adapterName })),
    undefined,
    finder,
  );
  for (const [index, device] of found.entries()) {
    const executor = await withDevice(device, () => finder.open(device));
    expect(slug(executor.device.name)).toBe(slug(names[index]!));
    expect((await compute(executor)).slice(0, 3)).toEqual([0, 2, 4]);
    executor.destroy();
  }
});

it.skipIf(missing)('devices in one folder of pipelines do not take each other’s', async () => {
  stubDrivers(icds.swiftshader as string, icds.lavapipe as string);
  const finder = nativeFinder(join(folder, 'pipelines'));
  const found = await findEach(places, undefined, finder);
  const hits: number[] = [];
  for (const device of [found[0]!, found[1]!, found[0]!, found[1]!]) {
    const executor = await withDevice(device, () => finder.open(device));
    expect((await compute(executor)).slice(0, 3)).toEqual([0, 2, 4]);
    hits.push((await rawDevice(executor).cacheCounts()).hits);
    executor.destroy();
  }
  expect(hits.slice(0, 2)).toEqual([0, 0]);
  expect(Math.min(...hits.slice(2))).toBeGreaterThan(0);
});

it('a device is chosen by a part of its name, in the command too', async () => {
  const { stdout } = await runCliWell(['devices', '--json', '--device', 'SubZero']);
  const devices = JSON.parse(stdout) as { id: string; chosen: boolean; reason: string }[];
  expect(devices.filter(({ chosen }) => chosen)).toMatchObject([
    {
      id: 'swiftshader',
      reason: 'asked for',
      executor: expect.stringMatching(/^(native|webgpu)$/),
      subgroups: { minSize: 4, maxSize: 4 },
      limits: { maxComputeInvocationsPerWorkgroup: 256, maxComputeWorkgroupStorageSize: 32768 },
    },
  ]);
  const text = await runCliWell(['devices', '--device', 'SubZero'], { env: { SYNGLOT_TUNING: 'off' } });
  expect(text.stdout.trim().split('\n').slice(-3)).toEqual([
    expect.stringMatching(/^swiftshader: (native|webgpu) executor, Dawn .*; .*subgroups/),
    expect.stringMatching(
      /^buffers to 1 GiB, bound 1 GiB at a time; workgroups to 256 invocations with 32 KiB$/,
    ),
    'kernels: not tuned (SYNGLOT_TUNING=off)',
  ]);
});
