/** `packages/bench/gpu.sh` where the device is missing: what fails stops nothing, and what is finished stays so. */
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
    // As an earlier call leaves it; it takes long.
    const before = 'bench host --device none';
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
      expect(begun).not.toContain(before);
      expect(begun.filter((each) => !failed.includes(each))).toEqual(['synglot devices', batch]);
      expect(failed).toHaveLength(15);
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
