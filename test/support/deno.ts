/** Runs a module of the repository in Deno. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { hasSystemLoader } from '../../packages/gpu/src/node/vulkan-driver.js';
import { bundleModule } from './browser.js';
import { driverEnvironment } from './driver-environment.js';
import { skippedWithout } from './missing.js';

const deno = process.env.DENO || 'deno';

/** Why tests in Deno cannot run here; undefined where they can. */
export function missingDeno(): string | undefined {
  const what =
    spawnSync(deno, ['--version']).status !== 0
      ? `${deno} is missing (npm install deno, and set DENO to its program)`
      : hasSystemLoader()
        ? undefined
        : "the system's Vulkan loader is missing (apt-get install libvulkan1)";
  return skippedWithout('Deno', what);
}

/**
 * Bundles a module, loads it in Deno, does `work` there and gives back what that returns, by way of JSON.
 *
 * @param work takes nothing from around it but its argument
 * @throws Error with what Deno printed, if it fails or complains
 */
export async function inDeno<A, T>(
  entry: string,
  work: (argument: A) => Promise<T>,
  argument: A,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'synglot-deno-'));
  try {
    const result = JSON.stringify(join(folder, 'result.json'));
    await writeFile(join(folder, 'module.js'), await bundleModule(entry));
    await writeFile(
      join(folder, 'main.js'),
      `import './module.js';
const result = await (${work})(${JSON.stringify(argument)});
Deno.writeTextFileSync(${result}, JSON.stringify(result));
`,
    );
    const child = spawn(deno, ['run', '--no-config', '--allow-all', join(folder, 'main.js')], {
      env: { ...process.env, ...driverEnvironment(), NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' },
      stdio: ['ignore', 'inherit', 'pipe'],
    });
    const [said, code] = await Promise.all([
      text(child.stderr),
      new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve)),
    ]);
    if (code !== 0 || said !== '') throw new Error(`Deno ended with ${code}:\n${said}`);
    return JSON.parse(await readFile(join(folder, 'result.json'), 'utf8')) as T;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
