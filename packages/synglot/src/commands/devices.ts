/** `synglot devices`: what computes here, the choice and the reason. */
import { type ListedDevice, listDevices } from '@synglot/gpu/node';
import Table from 'cli-table3';
import { Command } from 'commander';
import { type DeviceOptions, withDeviceOptions } from './options.js';

export function devicesCommand(): Command {
  const command = new Command('devices').description('list the devices, the one that is used and why');
  return withDeviceOptions(command)
    .option('--json', 'print JSON')
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
        const { id, chosen, name, driver, reason } = device;
        table.push([chosen ? '→' : '', id, name ?? '-', driver ?? '-', abilities(device), reason]);
      }
      console.log(table.toString());
    });
}

/** What decides which kernels run: half precision, subgroups, and the shapes of matrix units a line each. */
function abilities({ usable, features = [], subgroupMatrixConfigs = [] }: ListedDevice): string {
  if (!usable) return '-';
  const types = ['f32', ...(features.includes('shader-f16') ? ['f16'] : [])];
  const groups = features.includes('subgroups') ? ['subgroups'] : [];
  const matrices = subgroupMatrixConfigs.map(
    ({ component, result, M, N, K }) => `${component}→${result} ${M}×${N}×${K}`,
  );
  return [[...types, ...groups].join(', '), ...matrices].join('\n');
}
