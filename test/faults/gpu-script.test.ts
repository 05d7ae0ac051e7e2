/**
 * `packages/bench/gpu.sh` where the device is missing: what fails stops nothing, and what is finished stays so. How it
 * compares losses.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const script = fileURLToPath(new URL('../../packages/bench/gpu.sh', import.meta.url));

test.skipIf(process.platform !== 'linux')(
  'runs to its end, leaves out what is finished and ends with 1',
  () => {
    const output = mkdtempSync(join(tmpdir(), 'synglot-gpu-'));
    const read = (name: string) => readFileSync(join(output, name), 'utf8');
    // As an earlier call leaves it; they take long.
    const before = 'small --device swiftshader\nbench host --device none';
    const batch =
      'bench step-batch --shape minilm --pairs 2 --lengths xquad-r --output OUTPUT/batch-minilm.json';
    try {
      writeFileSync(join(output, 'finished.txt'), `${before}\n`);
      const { status, stdout } = spawnSync(script, [output], {
        env: { ...process.env, DEVICE: 'none', SHAPES: 'minilm', PAIRS: '2', RUNS: '1', PYTHON: 'false' },
        encoding: 'utf8',
      });
      const begun: string[] = stdout.match(/(?<=^== ).*(?= \()/gm) ?? [];
      const failed: string[] = stdout.match(/(?<=^FAILED \([12]\): ).*/gm) ?? [];
      expect(status).toBe(1);
      expect(begun.filter((each) => before.split('\n').includes(each))).toEqual([]);
      expect(begun.filter((each) => !failed.includes(each))).toEqual(['synglot devices', batch]);
      expect(failed).toHaveLength(19);
      expect(failed.at(-1)).toBe('bench encode --device none');
      // Time may run out: first what is told of a GPU, then what explains it.
      const place = (what: RegExp) => failed.findIndex((each) => what.test(each));
      expect(place(/^bench kernels --device none$/)).toBe(0);
      expect(place(/^bench step .* --tune /)).toBeLessThan(place(/ --attention /));
      expect(new Set(failed).size).toBe(failed.length);
      expect(read('finished.txt')).toBe(`${before}\nsynglot devices\n${batch}\n`);
      expect(JSON.parse(read('batch-minilm.json'))).toMatchObject({ shape: 'minilm' });
      expect(read('log.txt')).toBe(stdout);
    } finally {
      rmSync(output, { recursive: true });
    }
  },
);

test.skipIf(process.platform !== 'linux')(
  'losses that differ from those of a software device are told',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'synglot-gpu-'));
    try {
      const files = [
        { first: 1.4041381478309631, last: 1.2116820514202118 },
        { first: 1.4041382670402527, last: 1.21168 },
        { first: 1.4041382670402527, last: 1.2136 },
      ].map((loss, index) => {
        const path = join(folder, `${index}.json`);
        writeFileSync(path, JSON.stringify({ tokens: 192, loss }, null, 2));
        return path;
      });
      const compare = (found: string, most: string) =>
        spawnSync(
          'bash',
          [
            '-c',
            `eval "$(sed -n '/^same_losses/,/^}/p' "$0")"; same_losses "$@"`,
            script,
            files[0]!,
            found,
            most,
          ],
          { encoding: 'utf8' },
        );
      expect(compare(files[1]!, '1e-4')).toMatchObject({ status: 0, stderr: '' });
      expect(compare(files[2]!, '1e-2').status).toBe(0);
      const { status, stdout } = compare(files[2]!, '1e-4');
      expect(status).toBe(1);
      expect(stdout).toContain('"last" loss 1.2136, on the software device 1.2116820514202118');
      expect(compare(join(folder, 'none.json'), '1e-4').status).toBeGreaterThan(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
