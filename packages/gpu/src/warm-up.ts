/**
 * A plan that makes a device compile every kernel of another plan and computes nothing.
 *
 * Some drivers (lavapipe) compile a kernel at its first dispatch, one after the other. Running this plan while the
 * weights are still being loaded hides that time. It touches no buffer of the other plan.
 */
import type { DispatchCommand, Plan, PlanBuffer } from './plan.js';
import { stepFeedName, stepFeedSizeBytes } from './plan-builder.js';

const scratchBytes = 1024;

/**
 * One workgroup of each kernel, with all params and live sizes 0 and scratch buffers: the kernels find nothing to do.
 *
 * @param plan any plan; needs no external buffers of it to be compiled or run
 */
export function warmUpPlan(plan: Plan): Plan {
  const usesStep = plan.kernels.some((kernel) => kernel.usesStep);
  const bindings = Math.max(0, ...plan.kernels.map(({ access }) => access.length));
  const buffers: PlanBuffer[] = Array.from({ length: bindings }, (_, index) => ({
    name: `scratch ${index}`,
    sizeBytes: scratchBytes,
    role: 'transient' as const,
  }));
  if (usesStep) buffers.push({ name: stepFeedName, sizeBytes: stepFeedSizeBytes, role: 'feed' });
  const commands = plan.kernels.map(
    (kernel, index): DispatchCommand => ({
      kind: 'dispatch',
      kernel: index,
      buffers: kernel.access.map((_, binding) => binding),
      params: new Uint8Array(kernel.paramsSizeBytes),
      workgroups: [1, 1, 1],
      label: `warm-up of ${kernel.label}`,
    }),
  );
  const label = `warm-up of ${plan.label}`;
  return { label, kernels: plan.kernels, buffers, commands, stepBuffer: usesStep ? bindings : -1 };
}
