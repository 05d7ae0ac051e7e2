/**
 * Builds the addon with cmake-js. Without a toolchain, or on a platform that has no Dawn package,
 * it says so in one line and succeeds: the webgpu executor serves then. A compile error fails.
 * Not the place for compiler flags: those are in CMakeLists.txt.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);

function skip(cause, remedy) {
  console.log(
    `synglot: native executor not built (${cause}); the webgpu executor will be used. To get it: ${remedy}, then node ${relative(process.env.INIT_CWD ?? process.cwd(), fileURLToPath(import.meta.url))}`,
  );
  process.exit(0);
}

function find(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}

function dawnInclude() {
  const name = `@wgpu-bun/${process.platform}-${process.arch}-dawn`;
  try {
    return join(dirname(require.resolve(`${name}/package.json`)), 'include-dawn');
  } catch {
    return skip(`npm package ${name} is not installed`, `npm install ${name} where it exists`);
  }
}

function run(step, extra = []) {
  const cli = require.resolve('cmake-js/bin/cmake-js');
  const generator = process.platform === 'win32' || find('ninja') ? [] : ['--prefer-make'];
  const args = [cli, step, '--directory', root, '--log-level', 'error', ...generator, ...extra];
  return spawnSync(process.execPath, args, { encoding: 'utf8', cwd: root });
}

const include = dawnInclude();
const toolchain = 'install cmake, make (or ninja) and a C++20 compiler (Debian: apt install cmake make g++)';
if (!find('cmake')) skip('cmake is missing', toolchain);
if (process.platform !== 'win32') {
  if (!find('g++') && !find('clang++')) skip('no C++ compiler', toolchain);
  if (!find('make') && !find('ninja')) skip('neither make nor ninja', toolchain);
}

// CMake refuses a build folder that was made elsewhere: a moved or copied checkout.
const cache = join(root, 'build', 'CMakeCache.txt');
if (existsSync(cache) && !readFileSync(cache, 'utf8').includes(`CMAKE_HOME_DIRECTORY:INTERNAL=${root}\n`)) {
  rmSync(join(root, 'build'), { recursive: true });
}
const configured = run('configure', [`--CDSYNGLOT_DAWN_INCLUDE=${include}`]);
if (configured.status !== 0) {
  if (process.env.SYNGLOT_DEBUG) console.error(configured.stdout, configured.stderr);
  skip('cmake could not configure the build; SYNGLOT_DEBUG=1 shows why', toolchain);
}
const built = run('build');
if (built.status !== 0) {
  console.error(built.stdout, built.stderr);
  process.exit(1);
}
