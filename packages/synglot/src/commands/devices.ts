/** `synglot devices`: what computes here, the choice and the reason. */
import { type ListedDevice, listDevices } from '@synglot/gpu/node';
import Table from 'cli-table3';
import { Command } from 'commander';
import { deviceTuning } from '../tuning.js';
import { type DeviceOptions, withDeviceOptions } from './options.js';

export function devicesCommand(): Command {
  const command = new Command('devices').description('list the devices, the one that is used and why');
  return withDeviceOptions(command)
    .option('--json', 'print JSON: of every device, features and limits too')
    .action(async (options: DeviceOptions & { json?: boolean }) => {
      const devices = await listDevices({
        ...(options.device ? { device: options.device } : {}),
        ...(options.executor ? { executor: options.executor } : {}),
      });
      if (options.json) {
        console.log(JSON.stringify(devices, null, 2));
        return;
      }
      const table = new Table({
        head: ['', 'id', 'name', 'driver', 'computes with', 'why'],
        style: { head: [], border: [] },
        wordWrap: true,
        colWidths: [3, 13, 30, 24, 22, 44],
      });
      for (const device of devices) {
        const { id, chosen, name, pci, driver, reason } = device;
        const named = [name ?? '-', ...(pci ? [pci] : [])].join('\n');
        table.push([chosen ? '→' : '', id, named, driver ?? '-', abilities(device), reason]);
      }
      console.log(table.toString());
      const used = devices.find(({ chosen, usable }) => chosen && usable);
      if (used) for (const line of await details(used)) console.log(line);
    });
}

/** What decides which kernels run: half precision, subgroups, and a line for each shape of matrix units. */
function abilities({ usable, features = [], subgroups, subgroupMatrixConfigs = [] }: ListedDevice): string {
  if (!usable) return '-';
  const types = ['f32', ...(features.includes('shader-f16') ? ['f16'] : [])];
  const { minSize = 0, maxSize = 0 } = subgroups ?? {};
  const sizes = minSize === maxSize ? `${maxSize}` : `${minSize}–${maxSize}`;
  const groups = features.includes('subgroups') ? [`subgroups of ${sizes}`] : [];
  const matrices = subgroupMatrixConfigs.map(
    ({ component, result, M, N, K }) => `${component}→${result} ${M}×${N}×${K}`,
  );
  return [types.join(', '), ...groups, ...matrices].join('\n');
}

/** Details of the device that is used: its driver, its limits, and which kernels its plans take. */
async function details(device: ListedDevice): Promise<string[]> {
  const { id, name = '', executor, dawn, features = [], limits } = device;
  const lines = [`${id}: ${executor} executor${dawn ? `, Dawn ${dawn}` : ''}; ${features.join(', ')}`];
  if (limits) {
    lines.push(
      `buffers to ${size(limits.maxBufferSize)}, bound ${size(limits.maxStorageBufferBindingSize)} at a time; workgroups to ${limits.maxComputeInvocationsPerWorkgroup} invocations with ${size(limits.maxComputeWorkgroupStorageSize)}`,
    );
  }
  const { path, exists } = deviceTuning({ id, name, driver: device.driver ?? '' });
  if (path === undefined) lines.push('kernels: not tuned (SYNGLOT_TUNING=off)');
  else if (exists) lines.push(`kernels: tuned, ${path}`);
  else lines.push("kernels: not tuned; 'synglot tune --model MODEL' measures which are fastest here");
  return lines;
}

function size(bytes: number): string {
  const [unit, name] = (
    [
      [2 ** 30, 'GiB'],
      [2 ** 20, 'MiB'],
    ] as const
  ).find(([least]) => bytes >= least) ?? [2 ** 10, 'KiB'];
  return `${Number((bytes / unit).toFixed(1))} ${name}`;
}
