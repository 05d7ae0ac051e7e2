// Node itself, our addon and the Vulkan loader: found, copied, stripped, and asked what they need.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { BundleError } from './errors.mjs';

const loaderName = 'libvulkan.so.1';

/** Libraries that every glibc system has; a Node that needs others, such as a shared libnode, runs only here. */
const everywhere = /^(linux-vdso|ld-linux-x86-64|lib(c|dl|m|rt|pthread|atomic|gcc_s|stdc\+\+))\.so/;

/**
 * Copies this process's Node without symbols and checks that the copy runs.
 *
 * @throws BundleError when it would not run elsewhere
 */
export function copyNode(target) {
  const names =
    execFileSync('ldd', [process.execPath], { encoding: 'utf8' }).match(/[^\s/]+\.so[.\d]*/g) ?? [];
  const others = [...new Set(names)].filter((library) => !everywhere.test(library));
  if (others.length > 0) {
    throw new BundleError(
      `${process.execPath} needs ${others.join(', ')}, which other systems lack; run this with a Node from nodejs.org`,
    );
  }
  copyStripped(process.execPath, target);
  const version = execFileSync(target, ['--version'], { encoding: 'utf8', env: {} }).trim();
  if (version !== process.version) {
    throw new BundleError(`the copied Node prints ${version} but this is ${process.version}`);
  }
}

/** Copies our addon without symbols. */
export function copyAddon(root, target) {
  const addon = join(root, 'native/build/Release/synglot_native.node');
  if (!existsSync(addon)) {
    throw new BundleError(
      `${addon} is missing; run npm run build --workspace native and read what it prints`,
    );
  }
  mkdirSync(dirname(target), { recursive: true });
  copyStripped(addon, target);
}

function copyStripped(from, target) {
  copyFileSync(from, target);
  chmodSync(target, 0o755);
  try {
    execFileSync('strip', ['--strip-all', target], { stdio: 'pipe' });
  } catch (error) {
    if (error.code !== 'ENOENT') throw new BundleError(`strip ${target}: ${error.stderr}`);
    console.warn('bundle: no strip (Debian: apt install binutils); the archive will be larger');
  }
}

/**
 * Copies the Vulkan loader of this system, else of Debian's package, with its licence.
 *
 * @returns where it is from, or undefined after a line that says it is left out
 */
export function copyVulkanLoader(folder, licenses) {
  const own = systemLoader();
  if (own) return copyLoader(own, '/usr/share/doc/libvulkan1/copyright', folder, licenses, own);
  const temporary = mkdtempSync(join(tmpdir(), 'synglot-loader-'));
  try {
    const run = (program, ...args) => execFileSync(program, args, { cwd: temporary, stdio: 'pipe' });
    run('apt-get', 'download', 'libvulkan1:amd64');
    const [file] = readdirSync(temporary).filter((name) => name.endsWith('.deb'));
    run('dpkg-deb', '--extract', file, 'x');
    const library = join(temporary, 'x/usr/lib/x86_64-linux-gnu', loaderName);
    return copyLoader(
      library,
      join(temporary, 'x/usr/share/doc/libvulkan1/copyright'),
      folder,
      licenses,
      file,
    );
  } catch (error) {
    console.warn(
      `bundle: without a Vulkan loader: ${loaderName} is not on this system and apt-get download libvulkan1 failed (${String(error.message).split('\n')[0]}); a GPU will need the loader of its own system`,
    );
    return undefined;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function copyLoader(library, license, folder, licenses, origin) {
  mkdirSync(folder, { recursive: true });
  // Debian's is a link to the file with the full version; the loader is looked for by this name.
  copyStripped(realpathSync(library), join(folder, loaderName));
  if (existsSync(license)) copyFileSync(license, join(licenses, 'vulkan-loader.txt'));
  return origin;
}

function systemLoader() {
  for (const program of ['ldconfig', '/sbin/ldconfig']) {
    try {
      const list = execFileSync(program, ['-p'], { encoding: 'utf8', stdio: 'pipe' });
      const line = list
        .split('\n')
        .find((text) => text.includes(`${loaderName} `) && text.includes('x86-64'));
      const path = line?.split('=> ')[1]?.trim();
      if (path && existsSync(path)) return path;
    } catch {
      // Not in PATH, or not this kind of system: the next.
    }
  }
  return undefined;
}

/** Licence of this Node, from its tarball's or Debian's places. */
export function copyNodeLicense(licenses) {
  const home = dirname(dirname(realpathSync(process.execPath)));
  const places = [
    join(home, 'LICENSE'),
    join(home, 'share/doc/nodejs/LICENSE'),
    join(home, 'share/doc/nodejs/copyright'),
  ];
  const place = places.find((path) => existsSync(path));
  if (place) copyFileSync(place, join(licenses, 'node.txt'));
  else
    console.warn('bundle: the licence of Node was not found beside it; add it before passing the archive on');
}

/** Newest versions of glibc's and libstdc++'s symbols that any ELF file under `folder` asks for. */
export function neededVersions(folder) {
  const newest = { glibc: [0], glibcxx: [0] };
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || !isElf(path)) continue;
    const text = readFileSync(path, 'latin1');
    for (const [key, pattern] of [
      ['glibc', /\0GLIBC_(\d+(?:\.\d+)+)(?=\0)/g],
      ['glibcxx', /\0GLIBCXX_(\d+(?:\.\d+)+)(?=\0)/g],
    ]) {
      for (const [, version] of text.matchAll(pattern)) {
        const parts = version.split('.').map(Number);
        if (compare(parts, newest[key]) > 0) newest[key] = parts;
      }
    }
  }
  return { glibc: newest.glibc.join('.'), glibcxx: newest.glibcxx.join('.') };
}

function compare(a, b) {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function isElf(path) {
  const file = openSync(path, 'r');
  try {
    const head = Buffer.alloc(4);
    return readSync(file, head) === 4 && head.toString('latin1') === '\x7fELF';
  } finally {
    closeSync(file);
  }
}
