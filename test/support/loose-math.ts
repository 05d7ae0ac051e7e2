/**
 * Functions as inaccurate as WGSL lets a device compute them, so that a kernel that counts on better ones is found
 * without such a device.
 *
 * ```ts
 * const loose = withLooseMath(await openTestExecutor(), 'above');
 * await runKernel(loose, 'tanh_forward', …);
 * ```
 *
 * exp, log, sqrt, inverseSqrt and tanh err by all that is allowed, always to one side; at 0, exp is 1, as it is on
 * every device known. Division, sums and products stay the device's own.
 *
 * Source: WGSL, "Accuracy of Concrete Floating Point Expressions"; tanh: gpuweb issue 5206.
 */
import type { Executor } from '@synglot/gpu';
import { closingBracket } from './closing-bracket.js';
import { overExecutor } from './over-executor.js';

export type Side = 'above' | 'below';

/** `executor`, whose plans compute with such functions. */
export function withLooseMath(executor: Executor, side: Side): Executor {
  return overExecutor(executor, {
    compile: (plan, externals) => {
      const kernels = plan.kernels.map((kernel) => ({ ...kernel, code: loosenMath(kernel.code, side) }));
      return executor.compile({ ...plan, kernels }, externals);
    },
  });
}

/** A unit in the last place is at most 2⁻²³ of a number: exp 2 · |x|, log 3, inverseSqrt 2, sqrt 4.5 of them. */
const loosened: Readonly<Record<string, (x: string, side: '+' | '-') => string>> = {
  exp: (x, side) => `exp((${x}) * (1.0 ${side} 2.38e-7))`,
  log: (x, side) => `(log(${x}) * (1.0 ${side} 3.58e-7) ${side} 4.76e-7)`,
  inverseSqrt: (x, side) => `(inverseSqrt(${x}) * (1.0 ${side} 2.38e-7))`,
  sqrt: (x, side) => `(sqrt(${x}) * (1.0 ${side} 5.36e-7))`,
  tanh: (x, side) => `(tanh(${x}) ${side} 1.0e-5)`,
};

/** `code` with every call of those functions replaced, also within the arguments of another. */
export function loosenMath(code: string, side: Side): string {
  const text = code.replace(/\/\/.*$/gm, '');
  const call = new RegExp(`\\b(${Object.keys(loosened).join('|')})\\(`).exec(text);
  if (!call) return text;
  const begin = call.index + call[0].length;
  const end = closingBracket(text, begin, '()');
  const argument = loosenMath(text.slice(begin, end), side);
  const replaced = loosened[call[1] as string]?.(argument, side === 'above' ? '+' : '-');
  return `${text.slice(0, call.index)}${replaced}${loosenMath(text.slice(end + 1), side)}`;
}
