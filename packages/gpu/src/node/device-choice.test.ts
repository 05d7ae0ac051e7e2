/** Requests, reasons and the one-line errors of device choice. */
import { describe, expect, it } from 'vitest';
import {
  deviceMissing,
  reasonFor,
  requestedDevice,
  requestedExecutor,
  requestedToggles,
} from './device-choice.js';

describe('requestedDevice', () => {
  it('takes the option before the environment', () => {
    expect(requestedDevice('lavapipe', { SYNGLOT_DEVICE: 'gpu' })).toBe('lavapipe');
    expect(requestedDevice(undefined, { SYNGLOT_DEVICE: 'swiftshader' })).toBe('swiftshader');
    expect(requestedDevice(undefined, { SYNGLOT_DEVICE: '' })).toBeUndefined();
  });

  it('names the source of a wrong name, and what is right', () => {
    const expected = {
      code: 'INPUT_DEVICE',
      message: expect.stringMatching(/^SYNGLOT_DEVICE: .*gpu, lavapipe, swiftshader.*'cuda'$/),
    };
    expect(() => requestedDevice(undefined, { SYNGLOT_DEVICE: 'cuda' })).toThrow(
      expect.objectContaining(expected),
    );
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
    const error = deviceMissing('lavapipe', [
      { id: 'lavapipe', problem: 'Dawn refuses\n  this version' },
      { id: 'swiftshader', name: 'SwiftShader Device' },
    ]);
    expect(error.code).toBe('INPUT_DEVICE');
    expect(error.message).not.toContain('\n');
    expect(error.message).toContain('Dawn refuses this version');
    expect(error.message).toContain('usable: swiftshader (SwiftShader Device)');
    expect(error.message).toContain('bookworm-backports mesa-vulkan-drivers');
  });
});

describe('reasonFor', () => {
  it('explains use, precedence and absence', () => {
    expect(reasonFor({ id: 'swiftshader', name: 's' }, 'lavapipe', undefined)).toBe(
      "'lavapipe' comes before it",
    );
    expect(reasonFor({ id: 'lavapipe', name: 'l' }, 'lavapipe', 'lavapipe')).toBe('asked for');
    expect(reasonFor({ id: 'lavapipe', name: 'l' }, 'swiftshader', 'swiftshader')).toContain(
      "'swiftshader' was",
    );
    expect(reasonFor({ id: 'gpu', problem: 'none' }, 'lavapipe', undefined)).toMatch(/^none; to get it: /);
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
});
