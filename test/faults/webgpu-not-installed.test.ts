/** Without npm webgpu the webgpu executor is missing, and no device is at fault: one line says so, whatever was asked for. */
import { expect, test } from 'vitest';
import { runCli } from '../support/cli.js';

const inline = (code: string) => `data:text/javascript,${encodeURIComponent(code)}`;
/** Node resolves `webgpu` as where it is not installed. */
const leftOut = inline(
  `export const resolve = (name, context, next) => next(name === 'webgpu' ? 'webgpu-left-out' : name, context)`,
);
const hook = inline(`import { register } from 'node:module'; register(${JSON.stringify(leftOut)})`);

test.each([undefined, 'lavapipe', 'of no device'])(
  'the missing package is named, and how to get it: device %s',
  async (device) => {
    // Node 26 calls `register` deprecated; what comes after it is not in Node 20.
    const env = {
      NODE_OPTIONS: `--no-deprecation --import=${hook}`,
      SYNGLOT_EXECUTOR: 'webgpu',
      SYNGLOT_DEVICE: device,
    };
    const { code, stdout, errorLines } = await runCli(['devices'], { env });
    expect(errorLines).toEqual([
      expect.stringMatching(
        /^synglot: npm package webgpu cannot be loaded \(.*\); run npm install webgpu \(/,
      ),
    ]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  },
);
