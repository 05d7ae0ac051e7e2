/** Where there is little memory: what cannot be had is rejected alone, and what was given back can be had. */
import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { softwareDevices } from './native-support.js';

const prlimit = process.platform === 'linux' && spawnSync('prlimit', ['--version']).status === 0;
const missing = prlimit ? '' : ' (prlimit of util-linux is missing)';

/**
 * Runs `body` with an executor and `leave(bytes)`, after which its process can have so many more; what it printed. A
 * thread that it starts takes `stackBytes` of them.
 */
function printed(body: string, device: string, executor: 'native' | 'webgpu', stackBytes = 2 ** 23): string {
  const script = `
    import { execFileSync } from 'node:child_process';
    import { readFileSync } from 'node:fs';
    import { openExecutor } from '@synglot/gpu/node';
    const [device, kind] = process.argv.slice(1);
    const executor = await openExecutor({ device, executor: kind, cacheDir: '' });
    const leave = (bytes) => {
      const used = 1024 * Number(/VmSize:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
      execFileSync('prlimit', ['--pid', process.pid, '--as=' + (used + bytes) + ':']);
    };
    ${body}
    executor.destroy();
  `;
  const node = [process.execPath, '--input-type=module', '-e', script, device, executor];
  return execFileSync('prlimit', [`--stack=${stackBytes}:`, ...node], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
    timeout: 60_000,
  });
}

for (const { id, skip, title } of await softwareDevices()) {
  describe.skipIf(skip || !prlimit)(`on ${title}${missing}`, () => {
    it('a read that the host has no memory for is rejected, the next one is not', () => {
      // There is room for the driver's copy, but not for another.
      const body = `
        const large = executor.createBuffer('large', 2 ** 28);
        await executor.read(large, 0, 4);
        leave(1.5 * 2 ** 28);
        await executor.read(large).catch(({ code, message }) => console.log(code + ': ' + message));
        console.log((await executor.read(large, 0, 8)).byteLength);
      `;
      expect(printed(body, id, 'native')).toBe(
        "DEVICE_OUT_OF_MEMORY: read of buffer 'large': the host has no memory for what was read\n8\n",
      );
    });

    it('what the host has no memory for is not written, and can be later', () => {
      const body = `
        const large = executor.createBuffer('large', 2 ** 26);
        await executor.read(large, 0, 4);
        const ones = new Uint8Array(2 ** 26).fill(1);
        leave(2 ** 23);
        const told = new Set();
        for (let write = 0; write < 12; write++) {
          try {
            executor.write(large, ones);
          } catch ({ code, message }) {
            told.add(code + ': ' + message);
          }
        }
        console.log([...told].join());
        leave(2 ** 33);
        executor.write(large, ones);
        console.log(new Uint8Array(await executor.read(large, 2 ** 26 - 4, 4)).join());
      `;
      expect(printed(body, id, 'native')).toBe(
        "DEVICE_OUT_OF_MEMORY: write to buffer 'large': the host has no memory for it\n1,1,1,1\n",
      );
    });

    it('a plan that the host has no memory for is not compiled, and can be later', () => {
      // There is room for the params of each dispatch, but not for all of them at once.
      const body = `
        const code = 'struct P { x: array<vec4u, 1024> } @group(0) @binding(16) var<uniform> p: P; ' +
          '@group(0) @binding(0) var<storage, read_write> y: vec4u; ' +
          '@compute @workgroup_size(1) fn main() { y += p.x[0]; }';
        const words = 4096;
        const dispatches = 8192;
        const all = Uint32Array.from({ length: words * dispatches }, (_, i) => (i % words === 0 ? i / words : 0));
        const plan = (count) => ({
          label: 'params',
          kernels: [{ label: 'k', code, access: ['read_write'], paramsSizeBytes: 4 * words, usesStep: false }],
          buffers: [{ name: 'y', sizeBytes: 16, role: 'result' }],
          commands: Array.from({ length: count }, (_, i) => ({
            kind: 'dispatch', kernel: 0, buffers: [0], workgroups: [1, 1, 1], label: '',
            params: new Uint8Array(all.buffer, 4 * words * i, 4 * words),
          })),
          stepBuffer: -1,
        });
        await executor.compile(plan(1));
        const large = plan(dispatches);
        leave(1.75 * 4 * words * dispatches);
        await executor.compile(large).catch(({ code, message }) => console.log(code + ': ' + message));
        leave(2 ** 33);
        const { reads } = await (await executor.compile(plan(3))).run({ reads: ['y'] });
        console.log(new Uint32Array(reads.y).join());
      `;
      expect(printed(body, id, 'native')).toBe(
        "DEVICE_OUT_OF_MEMORY: compile of plan 'params': no memory for its 1 MiB (the host has no memory for it); " +
          'make the batch smaller or its texts shorter\n3,0,0,0\n',
      );
    });

    it('a device that no thread can be started for is not opened, and can be later', () => {
      const body = `
        const open = () => openExecutor({ device, executor: kind, cacheDir: '' });
        leave(2 ** 28);
        await open().catch(({ message }) => console.log(message.split('; ')[0]));
        leave(2 ** 33);
        (await open()).destroy();
      `;
      expect(printed(body, id, 'native', 2 ** 30)).toContain(
        "the device's thread could not be started: Resource temporarily unavailable",
      );
    });

    // lavapipe has memory for everything until it is written.
    it.skipIf(id !== 'swiftshader').each(['native', 'webgpu'] as const)(
      'the memory of a plan that was destroyed serves the next one, %s',
      (kind) => {
        const body = `
          const code = '@group(0) @binding(0) var<storage, read_write> y: array<f32>; @compute @workgroup_size(1) fn main() { y[0] += 1; }';
          const buffers = [0, 1, 2].map((index) => ({ name: 'y' + index, sizeBytes: 2 ** 26, role: 'result' }));
          const plan = {
            label: 'large',
            kernels: [{ label: 'count', code, access: ['read_write'], paramsSizeBytes: 0, usesStep: false }],
            buffers,
            commands: buffers.map((_, index) => (
              { kind: 'dispatch', kernel: 0, buffers: [index], params: new Uint8Array(), workgroups: [1, 1, 1], label: '' }
            )),
            stepBuffer: -1,
          };
          const first = await executor.compile(plan);
          await first.run();
          leave(2 * 2 ** 26);
          await executor.compile(plan).catch(({ code }) => console.log(code));
          first.destroy();
          const { reads } = await (await executor.compile(plan)).run({ reads: [{ name: 'y2', sizeBytes: 4 }] });
          console.log(new Float32Array(reads.y2)[0]);
        `;
        expect(printed(body, id, kind)).toBe('DEVICE_OUT_OF_MEMORY\n1\n');
      },
    );
  });
}
