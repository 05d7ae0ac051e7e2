/** Builds what `compile-only/` has, at the first call: no part of the build of the packages. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultCacheDir } from '@synglot/gpu/node';

export class NullDeviceError extends Error {
  readonly code = 'INPUT_DEVICE';
}

/**
 * The environment in which Vulkan's loader takes the layer of `compile-only/`.
 *
 * @throws NullDeviceError where there is no compiler
 */
export function layerSettings(): Readonly<Record<string, string>> {
  const library = built('layer');
  const name = 'VK_LAYER_SYNGLOT_compile_only';
  const folder = `${library}.d`;
  const manifest = {
    file_format_version: '1.1.2',
    layer: {
      name,
      type: 'GLOBAL',
      library_path: library,
      api_version: '1.4.0',
      implementation_version: '1',
      description: 'Stands in for hardware, or for the recording of commands',
    },
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'layer.json'), JSON.stringify(manifest));
  return { VK_LAYER_PATH: folder, VK_INSTANCE_LAYERS: name };
}

/**
 * The library of a file of `compile-only/`, compiled where that was not done since it changed.
 *
 * @throws NullDeviceError where there is no compiler
 */
export function built(name: string): string {
  // By the C library: Mesa 25 and Mesa 26 may be on two systems that share a home.
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  const source = fileURLToPath(new URL(`../compile-only/${name}.cc`, import.meta.url));
  const sum = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16);
  // An installed package may be another user's.
  const folder = join(defaultCacheDir(), 'compile-only');
  const library = join(folder, `${name}-${sum}-libc-${header.glibcVersionRuntime}.so`);
  if (existsSync(library)) return library;
  mkdirSync(folder, { recursive: true });
  const partial = `${library}.${process.pid}`;
  const options = [
    '-std=c++20',
    '-O1',
    '-shared',
    '-fPIC',
    '-fvisibility=hidden',
    '-Wall',
    '-Wextra',
    '-Werror',
  ];
  for (const compiler of [process.env.CXX || 'c++', 'g++', 'clang++']) {
    const { error, status, stderr } = spawnSync(compiler, [...options, source, '-o', partial], {
      encoding: 'utf8',
    });
    if (status === 0) {
      renameSync(partial, library);
      return library;
    }
    if (!error) throw new Error(`${compiler} cannot compile ${source}:\n${stderr}`);
  }
  throw new NullDeviceError(`no C++20 compiler to build ${source} with (Debian: apt install g++)`);
}
