/** What a machine with a GPU but without its Vulkan driver is told; on a file system made for it. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { gpuHint } from './gpu-hint.js';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'synglot-hint-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function touch(path: string): string {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, '');
  return full;
}

const linux = it.skipIf(process.platform !== 'linux');

linux('is silent where nothing is amiss', () => {
  expect(gpuHint({}, root)).toBeUndefined();
  touch('proc/driver/nvidia/version');
  touch('etc/vulkan/icd.d/nvidia_icd.json');
  expect(gpuHint({}, root)).toBeUndefined();
});

linux('names a file that VK_DRIVER_FILES names and that is not there', () => {
  const there = touch('a.json');
  expect(gpuHint({ VK_DRIVER_FILES: `${there}:/none.json` }, root)).toBe(
    'VK_DRIVER_FILES names /none.json, which is not there',
  );
  expect(gpuHint({ VK_ICD_FILENAMES: '/old.json' }, root)).toContain('VK_ICD_FILENAMES names /old.json');
});

linux("tells what NVIDIA's driver lacks", () => {
  touch('dev/nvidiactl');
  touch('usr/share/vulkan/icd.d/lvp_icd.json');
  expect(gpuHint({}, root)).toMatch(/no nvidia_icd\.json.*NVIDIA_DRIVER_CAPABILITIES=all/);
  const lavapipe = touch('lvp_icd.json');
  expect(gpuHint({ VK_DRIVER_FILES: lavapipe }, root)).toBe('VK_DRIVER_FILES names no driver of NVIDIA');
  const unusual = touch('usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json');
  expect(gpuHint({}, root)).toMatch(new RegExp(`set VK_DRIVER_FILES=${unusual}$`));
  expect(gpuHint({ VK_DRIVER_FILES: unusual }, root)).toBeUndefined();
});

// Root may open everything.
it.skipIf(process.platform !== 'linux' || process.getuid?.() === 0)(
  'names a device that the user may not open',
  () => {
    const path = touch('dev/dri/renderD128');
    expect(gpuHint({}, root)).toBeUndefined();
    chmodSync(path, 0);
    expect(gpuHint({}, root)).toContain(`${path} may not be opened`);
  },
);
