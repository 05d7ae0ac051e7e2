// Makes one archive for a Linux x64 machine without network, Node or npm. See docs/offline.md.
//
//   node scripts/bundle.mjs [--gzip] [--keep] [--output build-offline]
//
// Takes what is built and installed here, and this process's Node. --gzip: for a machine without xz, half as large
// again. --keep leaves the folder beside its archive.
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  copyAddon,
  copyNode,
  copyNodeLicense,
  copyVulkanLoader,
  neededVersions,
} from './bundle/binaries.mjs';
import { BundleError } from './bundle/errors.mjs';
import { copyPackages, findPackages, freshFolder } from './bundle/packages.mjs';

const root = fileURLToPath(new URL('../', import.meta.url)).replace(/\/$/, '');
const name = 'synglot-offline-linux-x64';
const limitBytes = 60e6;

try {
  const { values } = parseArgs({
    options: {
      gzip: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      output: { type: 'string', default: join(root, 'build-offline') },
    },
  });
  bundle({ ...values, output: resolve(values.output) });
} catch (error) {
  if (!(error instanceof BundleError) && !error.code?.startsWith('ERR_PARSE_ARGS')) throw error;
  console.error(`bundle: ${error.message}`);
  process.exitCode = 2;
}

function bundle({ gzip, keep, output }) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new BundleError(`expected to run on linux x64 but this is ${process.platform} ${process.arch}`);
  }
  const folder = join(output, name);
  const licenses = join(folder, 'licenses');
  freshFolder(folder);
  mkdirSync(licenses);
  cpSync(join(root, 'scripts/bundle/files'), folder, { recursive: true });
  copyFileSync(join(root, 'LICENSE'), join(licenses, 'synglot.txt'));

  const packages = findPackages(root);
  const modules = join(folder, 'lib/node_modules');
  copyPackages(packages, modules);
  copyAddon(root, join(modules, '@synglot/native/build/Release/synglot_native.node'));
  copyNode(join(folder, 'lib/node'));
  copyNodeLicense(licenses);
  const loader = copyVulkanLoader(join(folder, 'lib/vulkan'), licenses);

  const commit = commitOfTree();
  writeFileSync(join(folder, 'lib/COMMIT'), `${commit.name}\n`);
  const { version } = JSON.parse(readFileSync(join(root, 'packages/synglot/package.json'), 'utf8'));
  const needs = neededVersions(folder);
  fillReadme(join(folder, 'README.txt'), {
    version,
    commit: commit.name,
    node: process.version,
    ...needs,
    loader: loader
      ? 'The Vulkan loader is here.'
      : 'The Vulkan loader is not here: install it (Debian: libvulkan1).',
  });

  const archive = pack(output, commit.seconds, gzip);
  if (!keep) rmSync(folder, { recursive: true });
  const { size } = statSync(archive);
  console.log(
    `${archive}: ${(size / 1e6).toFixed(1)} MB, ${packages.length} packages, Node ${process.version}, loader: ${loader ?? 'none'}, needs glibc ${needs.glibc} and GLIBCXX_${needs.glibcxx}`,
  );
  if (size >= limitBytes) {
    throw new BundleError(`expected an archive below ${limitBytes / 1e6} MB but it is ${size / 1e6} MB`);
  }
}

/** Short commit, with `+` when tracked files differ from it, and its time. */
function commitOfTree() {
  const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  try {
    const [hash, seconds] = git('log', '-1', '--format=%h %ct').split(' ');
    const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
    return { name: changed ? `${hash}+` : hash, seconds: Number(seconds) };
  } catch {
    return { name: 'unknown', seconds: 0 };
  }
}

/** @throws Error for a placeholder without a value */
function fillReadme(path, values) {
  const text = readFileSync(path, 'utf8').replace(/@(\w+)@/g, (_, key) => {
    if (!(key in values)) throw new Error(`README.txt asks for ${key}`);
    return values[key];
  });
  writeFileSync(path, text);
}

/** The same files give the same archive; xz's filter for x86 code saves a few per cent. */
function pack(output, seconds, gzip) {
  const tar = join(output, `${name}.tar`);
  const owner = ['--owner=0', '--group=0', '--numeric-owner', '--mode=u+w,go-w,a+rX'];
  const order = ['--sort=name', '--format=gnu', `--mtime=@${seconds}`];
  run('tar', [...order, ...owner, '-C', output, '-cf', tar, name], 'Debian: apt install tar');
  if (gzip) {
    run('gzip', ['--force', '--best', '--no-name', tar], 'Debian: apt install gzip');
    return `${tar}.gz`;
  }
  run('xz', ['--force', '--x86', '--lzma2=preset=9e', tar], 'Debian: apt install xz-utils');
  return `${tar}.xz`;
}

function run(program, args, remedy) {
  try {
    execFileSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  } catch (error) {
    throw new BundleError(`${program} failed (${error.message.split('\n')[0]}); ${remedy}`);
  }
}
