/** Families of kernels, by the words that `--attention` and `--matmul` take. */
import {
  type AttentionStrategy,
  attentionStrategies,
  type DeviceTraits,
  type MatmulChoice,
  matmulCandidates,
  matmulShapeClass,
} from '@synglot/nn';
import { checkChoice } from './arguments.js';

const matmulStrategies = ['subgroup_matrix', 'workgroup', 'subgroup', 'registers'];

export interface Strategies {
  readonly attention?: string | undefined;
  readonly matmul?: string | undefined;
}

/** @throws ArgumentError unless each that is given is one */
export function checkStrategies({ attention, matmul }: Strategies): void {
  checkChoice({ attention }, 'attention', attentionStrategies);
  checkChoice({ matmul }, 'matmul', matmulStrategies);
}

/** What the names of a strategy's products end with. */
export function matmulSuffix(strategy: string): string {
  return strategy === 'registers' ? '' : `_${strategy}`;
}

/** A device's traits by which attention, and every product, that can be computed by the strategies is. */
export function traitsBy(device: DeviceTraits, { attention, matmul }: Strategies): DeviceTraits {
  return {
    ...device,
    ...(attention ? { attentionStrategy: attention as AttentionStrategy } : {}),
    ...(matmul ? matmulsBy(device, matmul) : {}),
  };
}

/** Products by a strategy: its best guess takes the place of a tuned choice. */
function matmulsBy(device: DeviceTraits, strategy: string): Pick<DeviceTraits, 'kernelChoices' | 'onMatmul'> {
  const kernelChoices: Record<string, MatmulChoice> = {};
  return {
    kernelChoices,
    onMatmul(problem) {
      const kernel = problem.product + matmulSuffix(strategy);
      const choice = matmulCandidates(device, problem).find((candidate) => candidate.kernel === kernel);
      if (choice) kernelChoices[matmulShapeClass(problem)] = choice;
    },
  };
}

/** Whether a kernel is of the families that are asked for; where none is, every kernel. */
export function byStrategies(kernel: string, { attention, matmul }: Strategies): boolean {
  if (attention === undefined && matmul === undefined) return true;
  const strategy = matmulStrategies.find((each) => kernel.endsWith(`_${each}`));
  if (/^attention_(forward|backward_(query|key_value))/.test(kernel)) {
    return attention === (strategy ?? 'portable');
  }
  return kernel.startsWith('matmul_') && matmul === (strategy ?? 'registers');
}
