/** `synglot encode` with the real all-MiniLM-L6-v2 against reference embeddings, on every software device. */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readNpy } from '@synglot/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { miniLm, runCliWell } from '../support/cli.js';
import { cosine, deviceCases, sharedPath, testFolder } from './support.js';

const referencePath = sharedPath('reference/minilm_reference.json');
const cases = (await deviceCases()).map((entry) => ({
  ...entry,
  title: `${entry.executor} on ${entry.device}${entry.missing ? ` (skipped: ${entry.missing})` : ''}`,
}));
for (const { missing, title } of cases) if (missing) console.warn(title);

let folder: Awaited<ReturnType<typeof testFolder>>;
beforeAll(async () => {
  folder = await testFolder('encode');
});
afterAll(() => folder.remove());

it('there is a device to test on', () => {
  expect(cases.filter(({ missing }) => missing === undefined)).not.toEqual([]);
});

describe.skipIf(!referencePath)('synglot encode', () => {
  const { sentences, embeddings } = referencePath
    ? (JSON.parse(readFileSync(referencePath, 'utf8')) as { sentences: string[]; embeddings: number[][] })
    : { sentences: [], embeddings: [] };

  for (const { executor, device, missing, title } of cases) {
    it.skipIf(missing !== undefined)(title, async () => {
      const input = join(folder.path, 'sentences.txt');
      const output = join(folder.path, `${executor}-${device}.npy`);
      await writeFile(input, `${sentences.join('\n')}\n`);
      const { stderr } = await runCliWell(
        ['encode', '--model', miniLm, '--input', input, '--output', output],
        { env: { SYNGLOT_EXECUTOR: executor, SYNGLOT_DEVICE: device } },
      );
      expect(stderr).toContain(`(${device}, ${executor} executor)`);
      const { rows, columns, data } = await readNpy(output);
      expect([rows, columns]).toEqual([sentences.length, 384]);
      let [worstCosine, worstDifference] = [1, 0];
      embeddings.forEach((expected, row) => {
        const actual = data.subarray(row * columns, (row + 1) * columns);
        worstCosine = Math.min(worstCosine, cosine(actual, expected));
        expected.forEach((value, column) => {
          worstDifference = Math.max(worstDifference, Math.abs(value - (actual[column] as number)));
        });
      });
      console.log(
        `${title}: cosine ≥ ${worstCosine.toFixed(9)}, difference ≤ ${worstDifference.toExponential(2)}`,
      );
      expect(worstCosine).toBeGreaterThanOrEqual(0.999999);
      expect(worstDifference).toBeLessThanOrEqual(1e-5);
    });
  }
});
