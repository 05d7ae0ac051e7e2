/**
 * Whether what a plan's commands name is there and fits. `PlanBuilder` sees to it; in a plan that was made by hand a wrong
 * number would be read as another, be refused only when the plan runs, or end the process (npm `webgpu`).
 */
import { GpuError } from './errors.js';
import type { DeviceLimits } from './executor.js';
import type { DispatchCommand, Plan } from './plan.js';

/** Throws `PLAN_INVALID` with the first command that asks for what the plan or the device does not have. */
export function checkCommands(
  { label, kernels, buffers, commands, stepBuffer }: Plan,
  { maxComputeWorkgroupsPerDimension: most }: Pick<DeviceLimits, 'maxComputeWorkgroupsPerDimension'>,
): void {
  let where = '';
  const refuse = (what: string): never => {
    throw new GpuError('PLAN_INVALID', `plan '${label}': ${where}: ${what}`);
  };
  const bufferAt = (index: number) => buffers[index] ?? refuse(`no buffer ${index}`);
  const checkBytes = (index: number, offset: number, size: number) => {
    const { name, sizeBytes } = bufferAt(index);
    const whole = offset % 4 === 0 && size % 4 === 0;
    if (whole && offset >= 0 && size >= 0 && offset + size <= sizeBytes) return;
    refuse(
      `bytes ${offset} to ${offset + size} of buffer '${name}', which has ${sizeBytes} (multiples of 4 expected)`,
    );
  };
  const checkDispatch = (command: DispatchCommand) => {
    const kernel = kernels[command.kernel] ?? refuse(`no kernel ${command.kernel}`);
    const { access, paramsSizeBytes, usesStep } = kernel;
    const has = `kernel '${kernel.label}' has`;
    if (command.buffers.length !== access.length) {
      refuse(`${has} ${access.length} bindings but received ${command.buffers.length} buffers`);
    }
    if (command.params.length !== paramsSizeBytes) {
      refuse(`${has} ${paramsSizeBytes} bytes of params but received ${command.params.length}`);
    }
    if (usesStep && stepBuffer === -1) {
      refuse(`kernel '${kernel.label}' uses Step but the plan has no step buffer`);
    }
    command.buffers.forEach((index, at) => {
      const { name } = bufferAt(index);
      const before = command.buffers.indexOf(index);
      const writes = command.buffers.some(
        (one, binding) => one === index && access[binding] === 'read_write',
      );
      if (before < at && writes) {
        refuse(`buffer '${name}' is bound at ${before} and ${at} and one of them writes`);
      }
    });
    for (const count of command.workgroups) {
      if (!Number.isInteger(count) || count < 0 || count > most) {
        refuse(`${count} workgroups, but the device allows integers up to ${most} per dimension`);
      }
    }
  };

  for (const { name, sizeBytes } of buffers) {
    where = `buffer '${name}'`;
    if (!Number.isInteger(sizeBytes) || sizeBytes <= 0 || sizeBytes % 4 !== 0) {
      refuse(`expected a positive multiple of 4 bytes but received ${sizeBytes}`);
    }
  }
  where = 'stepBuffer';
  if (stepBuffer !== -1) bufferAt(stepBuffer);
  for (const [index, command] of commands.entries()) {
    where = `command ${index} (${command.kind === 'dispatch' ? command.label : command.kind})`;
    if (command.kind === 'dispatch') checkDispatch(command);
    else if (command.kind === 'clear') checkBytes(command.buffer, command.offsetBytes, command.sizeBytes);
    else {
      if (command.source === command.destination) refuse('source and destination are the same buffer');
      checkBytes(command.source, command.sourceOffsetBytes, command.sizeBytes);
      checkBytes(command.destination, command.destinationOffsetBytes, command.sizeBytes);
    }
  }
}
