/**
 * Gives Node the GPU globals of a browser, from npm `webgpu`, for libraries written for browsers.
 *
 * npm `webgpu` polls the device from the event loop while a promise is pending and so keeps a core
 * busy; that is part of what a browser library costs in Node.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { create, globals } from 'webgpu';

Object.assign(globalThis, globals);
// Held by the global object: an instance that nobody holds is freed under its devices.
const gpu = create(['backend=vulkan']);
Object.defineProperty(globalThis, 'navigator', {
  value: { gpu, userAgent: `Node.js/${process.versions.node}`, hardwareConcurrency: 2 },
  configurable: true,
});

/** The adapter's own words. */
export async function driverName() {
  const { info } = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  return `${info.device}; ${info.description}`;
}

const require = createRequire(import.meta.url);

/** Installed version of a package, read beside the module that it resolves to. */
export function versionOf(name) {
  const path = require.resolve(name);
  const root = path.slice(0, path.lastIndexOf(`node_modules/${name}/`) + `node_modules/${name}/`.length);
  return JSON.parse(readFileSync(`${root}package.json`, 'utf8')).version;
}
