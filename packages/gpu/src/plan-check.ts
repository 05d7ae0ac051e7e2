/** Checks that both executors make before they touch the device, so that both say the same. */
import { checkCommands } from './check-commands.js';
import { GpuError } from './errors.js';
import type { DeviceBuffer, DeviceLimits } from './executor.js';
import { type Plan, viewAlignmentBytes } from './plan.js';
import { planMemory } from './plan-memory.js';

/** Throws `PLAN_INVALID` when externals are missing or of a wrong size, a binding exceeds the limits, or a command is wrong. */
export function checkPlan(
  plan: Plan,
  externals: ReadonlyMap<string, DeviceBuffer>,
  limits: DeviceLimits,
): void {
  const where = `plan '${plan.label}'`;
  for (const [index, { name, sizeBytes, role, within }] of plan.buffers.entries()) {
    if (sizeBytes > limits.maxStorageBufferBindingSize) {
      // A pooled buffer is as large as the largest tensor in it.
      const largest = plan.transients?.find((one) => one.buffer === index && one.sizeBytes === sizeBytes);
      throw new GpuError(
        'PLAN_INVALID',
        `${where}: tensor '${largest?.name ?? name}' has ${sizeBytes} bytes but the device binds at most ${limits.maxStorageBufferBindingSize}; make the batch smaller or its texts shorter`,
      );
    }
    if (role !== 'external') continue;
    const given = within?.name ?? name;
    const buffer = externals.get(given);
    if (!buffer) throw new GpuError('PLAN_INVALID', `${where}: external buffer '${given}' was not given`);
    if (within && !(within.offsetBytes >= 0 && within.offsetBytes % viewAlignmentBytes === 0)) {
      throw new GpuError(
        'PLAN_INVALID',
        `${where}: '${name}' begins at byte ${within.offsetBytes} of '${given}'; expected a multiple of ${viewAlignmentBytes}`,
      );
    }
    if (within && within.offsetBytes + sizeBytes > buffer.sizeBytes) {
      throw new GpuError(
        'PLAN_INVALID',
        `${where}: '${name}' ends at byte ${within.offsetBytes + sizeBytes} of '${given}', which has ${buffer.sizeBytes}`,
      );
    }
    if (!within && buffer.sizeBytes !== sizeBytes) {
      throw new GpuError(
        'PLAN_INVALID',
        `${where}: expected '${name}' of ${sizeBytes} bytes but received ${buffer.sizeBytes}`,
      );
    }
  }
  checkCommands(plan, limits);
}

/** What `compile` rejects with: if the device had no memory for the plan's own buffers, how much they take and a remedy. */
export function explainMemory(plan: Plan, error: unknown): unknown {
  const what = `compile of plan '${plan.label}': `;
  const noMemory = error instanceof GpuError && error.code === 'DEVICE_OUT_OF_MEMORY';
  // One of the buffers that it is given has a message of its own.
  if (!noMemory || !error.message.startsWith(what)) return error;
  const { feed, result, transient } = planMemory(plan).ownBytes;
  const mebibytes = Math.ceil((feed + result + transient) / 2 ** 20);
  const [reason] = error.message.slice(what.length).split('\n');
  return new GpuError(
    error.code,
    `${what}no memory for its ${mebibytes} MiB (${reason}); make the batch smaller or its texts shorter`,
    { cause: error },
  );
}

/** Throws unless a buffer of this size can be made: `PLAN_INVALID`, `DEVICE_OUT_OF_MEMORY` beyond the device's limit. */
export function checkBuffer(label: string, sizeBytes: number, { maxBufferSize }: DeviceLimits): void {
  if (!Number.isInteger(sizeBytes) || sizeBytes <= 0 || sizeBytes % 4 !== 0) {
    throw new GpuError(
      'PLAN_INVALID',
      `buffer '${label}': expected a positive multiple of 4 bytes but received ${sizeBytes}`,
    );
  }
  if (sizeBytes > maxBufferSize) {
    throw new GpuError(
      'DEVICE_OUT_OF_MEMORY',
      `buffer '${label}': ${sizeBytes} bytes, but the device allows ${maxBufferSize}`,
    );
  }
}

/**
 * The bytes that `what`, a feed or a write, is given. Memory that threads share is copied: Dawn's addon and ours refuse it.
 * Throws `PLAN_INVALID` unless they can be read.
 */
export function bytesOf(what: string, data: ArrayBufferView): Uint8Array<ArrayBuffer> {
  if (!ArrayBuffer.isView(data)) {
    const received = (data as object | null | undefined)?.constructor?.name ?? String(data);
    throw new GpuError(
      'PLAN_INVALID',
      `${what}: expected a typed array or a DataView but received ${received}`,
    );
  }
  try {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : bytes.slice();
  } catch (cause) {
    throw new GpuError('PLAN_INVALID', `${what}: its memory was transferred or resized away`, { cause });
  }
}

/** The index of feed `name` and its bytes; throws `PLAN_INVALID` when it is no feed or `data` does not fit. */
export function checkFeed(
  plan: Plan,
  names: ReadonlyMap<string, number>,
  name: string,
  data: ArrayBufferView,
): { readonly index: number; readonly bytes: Uint8Array<ArrayBuffer> } {
  const index = names.get(name);
  const buffer = index === undefined ? undefined : plan.buffers[index];
  if (index === undefined || buffer?.role !== 'feed') {
    const known = plan.buffers.filter((entry) => entry.role === 'feed').map((entry) => entry.name);
    throw new GpuError(
      'PLAN_INVALID',
      `plan '${plan.label}' has no feed '${name}' (it has: ${known.join(', ') || 'none'})`,
    );
  }
  const what = `feed '${name}' of plan '${plan.label}'`;
  const bytes = bytesOf(what, data);
  if (bytes.length > buffer.sizeBytes || bytes.length % 4 !== 0) {
    throw new GpuError(
      'PLAN_INVALID',
      `${what}: expected at most ${buffer.sizeBytes} bytes, a multiple of 4, but received ${bytes.length}`,
    );
  }
  return { index, bytes };
}

/** What is read back after a run: name, index, bytes. Throws `PLAN_INVALID` when there is no such buffer, or less of it. */
export function checkRead(
  plan: Plan,
  names: ReadonlyMap<string, number>,
  read: string | { readonly name: string; readonly sizeBytes: number },
): { readonly name: string; readonly index: number; readonly sizeBytes: number } {
  const name = typeof read === 'string' ? read : read.name;
  const index = names.get(name);
  const capacity = index === undefined ? undefined : plan.buffers[index]?.sizeBytes;
  if (index === undefined || capacity === undefined) {
    const known = plan.buffers.filter(({ role }) => role === 'result').map((entry) => entry.name);
    throw new GpuError(
      'PLAN_INVALID',
      `plan '${plan.label}' has no buffer '${name}' to read (its results: ${known.join(', ') || 'none'})`,
    );
  }
  const sizeBytes = typeof read === 'string' ? capacity : read.sizeBytes;
  if (!Number.isInteger(sizeBytes) || sizeBytes < 0 || sizeBytes > capacity) {
    throw new GpuError(
      'PLAN_INVALID',
      `read of '${name}': ${sizeBytes} bytes asked for, but it has ${capacity}`,
    );
  }
  return { name, index, sizeBytes };
}

/** Throws `DEVICE_VALIDATION` unless bytes of a buffer that are read or written lie in it, as whole words. */
export function checkRange(
  { label, sizeBytes }: Pick<DeviceBuffer, 'label' | 'sizeBytes'>,
  offset: number,
  size: number,
): void {
  const whole = offset % 4 === 0 && size % 4 === 0;
  if (whole && offset >= 0 && size >= 0 && offset + size <= sizeBytes) return;
  throw new GpuError(
    'DEVICE_VALIDATION',
    `bytes ${offset} to ${offset + size} of buffer '${label}', which has ${sizeBytes} (multiples of 4 expected)`,
  );
}
