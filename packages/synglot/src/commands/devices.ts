/** `synglot devices`: what computes here, the choice and the reason. */
import { listDevices } from '@synglot/gpu/node';
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
        head: ['', 'id', 'name', 'driver', 'why'],
        style: { head: [], border: [] },
        wordWrap: true,
        colWidths: [3, 13, 34, 24, 60],
      });
      for (const { id, chosen, name, driver, reason } of devices) {
        table.push([chosen ? '→' : '', id, name ?? '-', driver ?? '-', reason]);
      }
      console.log(table.toString());
    });
}
