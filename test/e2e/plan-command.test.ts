/** `synglot plan`: figures that agree with the model and with themselves, in both forms, and mistakes in one line. */
import { describe, expect, test } from 'vitest';
import { miniLm, runCli } from '../support/cli.js';

const timeoutMs = 120_000;
const small = ['plan', '--model', miniLm, '--batch', '8', '--tokens', '256', '--memory'];

describe('synglot plan', () => {
  test(
    'tells what a step of MiniLM takes',
    async () => {
      const { code, stdout } = await runCli([...small, '--json']);
      expect(code).toBe(0);
      const plan = JSON.parse(stdout);
      expect(plan.capacity).toEqual({ tokens: 256, queries: 8, candidates: 8 });
      // 22,565,376 weights without the pooler; slabs begin at multiples of 256 bytes.
      const { parameter } = plan.parameterBytes;
      expect(parameter).toBeGreaterThanOrEqual(22_565_376 * 4);
      expect(parameter).toBeLessThan(22_565_376 * 4 * 1.01);
      expect(plan.parameterBytes).toEqual({
        parameter,
        gradient: parameter,
        'first moment': parameter,
        'second moment': parameter,
      });
      const { peak, pool, ownBytes } = plan;
      expect(peak.liveBytes).toBe(
        peak.tensors.reduce((sum: number, { sizeBytes }: { sizeBytes: number }) => sum + sizeBytes, 0),
      );
      expect(peak.liveBytes).toBeLessThanOrEqual(ownBytes.transient);
      expect(ownBytes.transient).toBeLessThan(pool.unsharedBytes);
      expect(plan.totalBytes).toBe(4 * parameter + ownBytes.transient + ownBytes.feed + ownBytes.result);

      const text = await runCli(small);
      expect(text.stdout).toContain(`${plan.dispatches} dispatches of ${plan.pipelines} pipelines`);
      expect(text.stdout).toContain(`'${peak.label}'`);
    },
    timeoutMs,
  );

  test(
    'with an adapter: only its parameters have gradients, and a group may name them',
    async () => {
      const adapter = ['--set', 'adapter={ kind: lora, rank: 8 }'];
      const group = ['--set', 'optimizer.groups=[{ parameters: "*.lora_B.*", weight_decay: 0 }]'];
      const { code, stdout } = await runCli([...small, ...adapter, ...group, '--json']);
      expect(code).toBe(0);
      const { parameter, ...trained } = JSON.parse(stdout).parameterBytes;
      expect(parameter).toBeGreaterThan(22_565_376 * 4);
      // Two matrices of 8 × 384 for query and value of six layers; each of the 24 may begin a slab's next 256 bytes.
      const least = 24 * 8 * 384 * 4;
      for (const bytes of Object.values(trained)) {
        expect(bytes).toBeGreaterThanOrEqual(least);
        expect(bytes).toBeLessThan(least + 25 * 256);
      }
    },
    timeoutMs,
  );

  test(
    'a group may name the parameters of an objective alone, as in training; a pattern that names nothing is refused',
    async () => {
      const group = (name: string) => [
        '--set',
        `optimizer.groups=[{ parameters: "${name}.*", weight_decay: 0 }]`,
      ];
      const adversarial = [...small, '--set', 'adversarial={}'];
      const { code } = await runCli([...adversarial, ...group('language_discriminator')]);
      expect(code).toBe(0);
      const { code: refused, errorLines } = await runCli([...adversarial, ...group('discriminator')]);
      expect(refused).toBe(2);
      expect(errorLines.at(-1)).toContain(
        "optimizer.groups.0.parameters: 'discriminator.*' names no parameter",
      );
    },
    timeoutMs,
  );

  test(
    'without a configuration and a model: one line',
    async () => {
      const { code, errorLines } = await runCli(['plan']);
      expect(code).toBe(2);
      expect(errorLines).toEqual(['synglot: expected a configuration or --model']);
    },
    timeoutMs,
  );
});
