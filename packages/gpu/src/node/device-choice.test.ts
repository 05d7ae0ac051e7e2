/** Requests, reasons and the one-line errors of device choice. */
import { describe, expect, it } from 'vitest';
import {
  type DeviceRequest,
  deviceMissing,
  driverNamed,
  type FoundDevice,
  matchDevice,
  reasonFor,
  requestedDevice,
  requestedExecutor,
  requestedToggles,
} from './device-choice.js';

const request = (text: string): DeviceRequest => ({ text, from: 'device' });

const llvmpipe: FoundDevice = { id: 'lavapipe', driver: 'lavapipe', name: 'llvmpipe (LLVM 19.1, 256 bits)' };
const swiftShader: FoundDevice = { id: 'swiftshader', driver: 'swiftshader', problem: 'not installed' };
const oneGpu: FoundDevice[] = [{ id: 'gpu', driver: 'gpu', name: 'NVIDIA H200' }, llvmpipe, swiftShader];
const manyGpus: FoundDevice[] = [
  { id: 'gpu:0', driver: 'gpu', name: 'Intel(R) UHD Graphics 770 (ADL-S GT1)' },
  { id: 'gpu:1', driver: 'gpu', name: 'NVIDIA A100', preferred: true },
  { id: 'gpu:2', driver: 'gpu', name: 'NVIDIA A100 80GB' },
  { id: 'gpu:3', driver: 'gpu', name: 'NVIDIA A100 80GB' },
  { id: 'gpu:4', driver: 'gpu', problem: 'Dawn finds no usable adapter' },
  llvmpipe,
  swiftShader,
];

describe('requestedDevice', () => {
  it('takes the option before the environment', () => {
    expect(requestedDevice('lavapipe', { SYNGLOT_DEVICE: 'gpu' })).toEqual(request('lavapipe'));
    expect(requestedDevice(undefined, { SYNGLOT_DEVICE: ' H200 ' })).toEqual({
      text: 'H200',
      from: 'SYNGLOT_DEVICE',
    });
    expect(requestedDevice('', { SYNGLOT_DEVICE: ' ' })).toBeUndefined();
  });

  it('knows drivers in any case, and nothing else', () => {
    expect(driverNamed(request('SwiftShader'))).toBe('swiftshader');
    expect(driverNamed(request('gpu:0'))).toBeUndefined();
    expect(driverNamed(request('H200'))).toBeUndefined();
  });
});

describe('matchDevice', () => {
  const idOf = (text: string, found: readonly FoundDevice[]) => matchDevice(request(text), found).id;
  const errorOf = (text: string, found: readonly FoundDevice[], hint?: string): string => {
    try {
      matchDevice(request(text), found, hint);
    } catch (error) {
      expect(error).toMatchObject({ code: 'INPUT_DEVICE', message: expect.not.stringContaining('\n') });
      return (error as Error).message;
    }
    throw new Error(`'${text}' was matched`);
  };

  it.each([
    ['gpu:0', 'gpu:0'],
    ['GPU:3', 'gpu:3'],
    ['uhd graphics', 'gpu:0'],
    ['Intel', 'gpu:0'],
    ['llvm', 'lavapipe'],
    ['lavapipe', 'lavapipe'],
  ])('of several GPUs, %s is %s', (text, id) => {
    expect(idOf(text, manyGpus)).toBe(id);
  });

  it('takes a whole name before a part of others', () => {
    expect(idOf('nvidia a100', manyGpus)).toBe('gpu:1');
    expect(errorOf('A100 80GB', manyGpus)).toBe(
      "device: 'A100 80GB' is in the name of gpu:2 (NVIDIA A100 80GB), gpu:3 (NVIDIA A100 80GB); name one by its id",
    );
  });

  it('knows the names that npm webgpu makes of them', () => {
    const found: FoundDevice[] = [{ id: 'gpu', driver: 'gpu', name: 'nvidia-h200-' }];
    expect(idOf('NVIDIA H200', found)).toBe('gpu');
  });

  it('takes one GPU by either id', () => {
    expect(idOf('gpu:0', oneGpu)).toBe('gpu');
    expect(idOf('H200', oneGpu)).toBe('gpu');
  });

  it('lists what there is for what is not', () => {
    expect(errorOf('gpu:1', oneGpu)).toBe(
      "device: expected one of gpu, lavapipe, swiftshader, or the id or a part of the name of a usable device, but received 'gpu:1'; usable: gpu (NVIDIA H200), lavapipe (llvmpipe (LLVM 19.1, 256 bits))",
    );
    expect(errorOf('gpu:1', oneGpu, 'the addon\nwas not built')).toMatch(/; the addon was not built$/);
    expect(errorOf('gpu:4', manyGpus)).toMatch(/^device 'gpu:4' is not usable here: Dawn finds no/);
    expect(errorOf('gpu:1', [{ id: 'gpu', driver: 'gpu', problem: 'no Vulkan loader' }, llvmpipe])).toMatch(
      /^device 'gpu' is not usable here: no Vulkan loader; usable: lavapipe /,
    );
    expect(errorOf('(', manyGpus)).toContain("received '('");
  });

  it.each([
    ['cuda', oneGpu, "'gpu'"],
    ['cuda:0', oneGpu, "'gpu'"],
    ['cuda:2', manyGpus, "'gpu:2'"],
    ['2', manyGpus, "'gpu:2'"],
    ['0', manyGpus, "'gpu:0'"],
    ['cpu', manyGpus, "'lavapipe'"],
  ])('knows what %s is called here', (text, found, meant) => {
    expect(errorOf(text, found)).toContain(`(did you mean ${meant}?)`);
  });

  it('suggests no place that is not there', () => {
    expect(errorOf('cuda:7', manyGpus)).not.toContain('did you mean');
    expect(errorOf('nothing', manyGpus)).not.toContain('did you mean');
  });
});

describe('requestedExecutor', () => {
  it('accepts native and webgpu only', () => {
    expect(requestedExecutor(undefined, {})).toBeUndefined();
    expect(requestedExecutor('webgpu', { SYNGLOT_EXECUTOR: 'native' })).toBe('webgpu');
    expect(() => requestedExecutor(undefined, { SYNGLOT_EXECUTOR: 'wasm' })).toThrow(
      /SYNGLOT_EXECUTOR.*'wasm'/,
    );
  });
});

describe('deviceMissing', () => {
  it('says in one line what is there and how to get the other', () => {
    const lavapipe = {
      ...swiftShader,
      id: 'lavapipe',
      driver: 'lavapipe',
      problem: 'Dawn refuses\n  it',
    } as const;
    const error = deviceMissing(lavapipe, [
      lavapipe,
      { id: 'swiftshader', driver: 'swiftshader', name: 'SwiftShader Device' },
    ]);
    expect(error.code).toBe('INPUT_DEVICE');
    expect(error.message).not.toContain('\n');
    expect(error.message).toContain('Dawn refuses it;');
    expect(error.message).toContain('usable: swiftshader (SwiftShader Device)');
    expect(error.message).toContain('bookworm-backports mesa-vulkan-drivers');
  });
});

describe('reasonFor', () => {
  it('explains use, precedence and absence', () => {
    expect(reasonFor(llvmpipe, 'gpu:1', undefined)).toBe("'gpu:1' comes before it");
    expect(reasonFor(llvmpipe, 'lavapipe', 'llvm')).toBe('asked for');
    expect(reasonFor(llvmpipe, 'swiftshader', 'swift')).toBe("not asked for; 'swift' was");
    expect(reasonFor(swiftShader, 'lavapipe', undefined)).toMatch(/^not installed; to get it: npm install/);
    expect(reasonFor(manyGpus[1]!, 'gpu:1', undefined)).toContain('of them the one that Dawn prefers');
  });
});

describe('requestedToggles', () => {
  it('turns on what is named and off what has a minus', () => {
    expect(requestedToggles({})).toEqual({ enable: [], disable: [] });
    expect(requestedToggles({ SYNGLOT_TOGGLES: 'skip_validation, -timestamp_quantization,' })).toEqual({
      enable: ['skip_validation'],
      disable: ['timestamp_quantization'],
    });
  });

  it('turns off checks on request, but for those that are asked for', () => {
    const unchecked = ['skip_validation', 'disable_robustness', 'disable_workgroup_init'];
    expect(requestedToggles({ SYNGLOT_UNCHECKED: '1' })).toEqual({ enable: unchecked, disable: [] });
    expect(requestedToggles({}, true).enable).toEqual(unchecked);
    expect(requestedToggles({ SYNGLOT_UNCHECKED: '1' }, false).enable).toEqual([]);
    expect(requestedToggles({ SYNGLOT_UNCHECKED: '0' }).enable).toEqual([]);
    expect(requestedToggles({ SYNGLOT_TOGGLES: '-disable_robustness,skip_validation' }, true)).toEqual({
      enable: ['skip_validation', 'disable_workgroup_init'],
      disable: ['disable_robustness'],
    });
  });
});
