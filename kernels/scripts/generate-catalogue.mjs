// Makes kernels/src/generated/catalogue.ts from kernels/wgsl/*.wgsl.
//
//   node kernels/scripts/generate-catalogue.mjs           writes it
//   node kernels/scripts/generate-catalogue.mjs --check   exits 1 when it is stale
//
// What a kernel file declares, and how, is in kernels/README.md.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const wgslFolder = fileURLToPath(new URL('../wgsl/', import.meta.url));
const target = fileURLToPath(new URL('../src/generated/catalogue.ts', import.meta.url));
const extensions = readFileSync(new URL('../src/extensions.ts', import.meta.url), 'utf8')
  .match(/^export type Extension = (.+);$/m)[1]
  .match(/\w+/g);

const forms = {
  constant: /^\/\/@ const ([A-Z][A-Z0-9_]*): (u32|i32|f32|bool) = (true|false|-?\d+(?:\.\d+)?(?:e-?\d+)?)$/,
  type: /^\/\/@ type ([A-Z][a-z]\w*): ((?:f32|f16)(?: \| (?:f32|f16))*)$/,
  enable: /^\/\/@ enable (\w+)$/,
  include: /^\/\/@ include (\w+)$/,
  binding: /^@group\(0\) @binding\((\d+)\) var<storage, (read|read_write)> (\w+): (array<.+>|\w+);$/,
  uniform:
    /^@group\(0\) (?:@binding\(16\) var<uniform> (params): Params|@binding\(17\) var<uniform> step: Step);$/,
};

const names = readdirSync(wgslFolder)
  .filter((file) => file.endsWith('.wgsl'))
  .map((file) => file.slice(0, -'.wgsl'.length))
  .sort();
const files = new Map(names.map((name) => [name, readFile(name)]));
const isInclude = (name) => name.startsWith('include_');
const includes = new Map(
  names.filter(isInclude).map((name) => [name.slice('include_'.length), files.get(name).source]),
);
const kernels = names.filter((name) => !isInclude(name)).map(makeKernel);
const text = render(kernels);

if (process.argv.includes('--check')) {
  let current = '';
  try {
    current = readFileSync(target, 'utf8');
  } catch {
    // Missing counts as stale.
  }
  if (current !== text) {
    console.error('kernels/src/generated/catalogue.ts is stale: run `npm run generate` and commit it.');
    process.exit(1);
  }
  console.log(`catalogue of ${kernels.length} kernels is up to date`);
} else {
  writeFileSync(target, text);
  console.log(`wrote ${kernels.length} kernels to kernels/src/generated/catalogue.ts`);
}

function fail(name, message, line = 1) {
  console.error(`kernels/wgsl/${name}.wgsl:${line}: ${message}`);
  process.exit(1);
}

/** What a file declares, by form; refuses a line that begins like a declaration and has none of the forms. */
function readFile(name) {
  const source = readFileSync(`${wgslFolder}${name}.wgsl`, 'utf8');
  const found = { name, source, constant: [], type: [], enable: [], include: [], binding: [], uniform: [] };
  source.split('\n').forEach((line, index) => {
    if (!/^\s*(\/\/@|@group|@binding|var<(storage|uniform))/.test(line)) return;
    const form = Object.keys(forms).find((each) => forms[each].test(line));
    if (!form) fail(name, `cannot read '${line}'; its forms are in kernels/README.md`, index + 1);
    found[form].push([...forms[form].exec(line).slice(1), index + 1]);
  });
  for (const [extension, line] of found.enable) {
    if (extensions.includes(extension)) continue;
    fail(name, `unknown extension '${extension}', expected one of ${extensions.join(', ')}`, line);
  }
  const struct = source.match(/^struct Params \{([^}]*)\}/m);
  found.params = [...(struct?.[1] ?? '').replace(/\/\/.*$/gm, '').matchAll(/(\w+)\s*:\s*(\w+)/g)].map(
    ([, field, type]) => ({ name: field, type }),
  );
  const other = found.params.find(({ type }) => !['u32', 'i32', 'f32'].includes(type));
  if (other) fail(name, `Params.${other.name} has type ${other.type}: scalars only`);
  return found;
}

function makeKernel(name) {
  const own = files.get(name);
  if (!own.source.startsWith('// ')) fail(name, 'must open with a comment that says what it computes');
  const used = includesOf(name);
  const all = [own, ...used.map((include) => files.get(`include_${include}`))];
  const constants = all.flatMap(({ constant }) =>
    constant.map(([constantName, type, value]) => ({ name: constantName, type, value: JSON.parse(value) })),
  );
  const types = all.flatMap(({ type }) =>
    type.map(([typeName, list]) => ({ name: typeName, choices: list.split(' | ') })),
  );
  const enables = all.flatMap(({ enable }) => enable.map(([extension]) => extension));
  const params = all.find(({ params: fields }) => fields.length > 0)?.params ?? [];
  const bindings = all.flatMap(({ binding }) => binding);
  const uniform = own.uniform.find(([binds]) => binds);
  if (uniform && params.length === 0)
    fail(name, 'binds Params, but no line begins with `struct Params {`', uniform[1]);
  if (bindings.length === 0) fail(name, 'has no storage bindings');
  bindings.forEach(([number, access, binding], index) => {
    if (Number(number) !== index) fail(name, `binding '${binding}' is ${number}, expected ${index}`);
    if (index > 0 && access === 'read' && bindings[index - 1][1] === 'read_write') {
      fail(name, `input '${binding}' comes after an output`);
    }
  });
  if (bindings.length > 8) fail(name, 'needs more than 8 storage buffers, which not every device grants');
  if (!/@compute @workgroup_size\([^)]*\)\s*fn main\(/.test(own.source))
    fail(name, 'has no entry point main');
  return {
    name,
    source: own.source,
    constants,
    types,
    enables,
    includes: used,
    params,
    bindings: bindings.map(([, access, binding, type]) => ({ name: binding, access, type })),
  };
}

/** Names of the includes of a file and of theirs, each once, each after those that it includes. */
function includesOf(name, found = []) {
  for (const [include, line] of files.get(name).include) {
    if (!includes.has(include)) fail(name, `unknown include '${include}'`, line);
    if (found.includes(include)) continue;
    includesOf(`include_${include}`, found);
    if (!found.includes(include)) found.push(include);
  }
  return found;
}

function render(list) {
  const lines = [
    '// Generated by kernels/scripts/generate-catalogue.mjs from kernels/wgsl. Do not edit.',
    "import type { KernelDefinition } from '../definition.js';",
    '',
    '/** Types of every kernel: constants and element types (all optional), params and bindings by name. */',
    'export interface KernelTypes {',
  ];
  for (const kernel of list) {
    lines.push(`  ${kernel.name}: {`);
    const constants = [
      ...kernel.constants.map((c) => `${c.name}?: ${c.type === 'bool' ? 'boolean' : 'number'}`),
      ...kernel.types.map((t) => `${t.name}?: ${t.choices.map((choice) => `'${choice}'`).join(' | ')}`),
    ];
    lines.push(`    constants: { ${constants.join('; ')} };`);
    lines.push(`    params: { ${kernel.params.map((p) => `${p.name}: number`).join('; ')} };`);
    lines.push(`    bindings: ${kernel.bindings.map((b) => `'${b.name}'`).join(' | ')};`);
    lines.push('  };');
  }
  lines.push('}', '', '/** The names of all kernels. */', 'export type KernelName = keyof KernelTypes;', '');
  lines.push('const includes: Readonly<Record<string, string>> = {');
  for (const [name, source] of includes) lines.push(`  ${name}: ${JSON.stringify(source)},`);
  lines.push('};', '');
  lines.push('/** Every kernel by its name. */');
  lines.push('export const catalogue: { readonly [Name in KernelName]: KernelDefinition } = {');
  for (const kernel of list) {
    lines.push(`  ${kernel.name}: {`);
    lines.push(`    name: '${kernel.name}',`);
    lines.push(
      `    includes: [${kernel.includes.map((name) => `includes['${name}'] as string`).join(', ')}],`,
    );
    lines.push(`    enables: ${JSON.stringify(kernel.enables)},`);
    lines.push(`    usesStep: ${kernel.includes.includes('step')},`);
    lines.push(`    constants: ${JSON.stringify(kernel.constants)},`);
    lines.push(`    types: ${JSON.stringify(kernel.types)},`);
    lines.push(`    params: ${JSON.stringify(kernel.params)},`);
    lines.push(`    bindings: ${JSON.stringify(kernel.bindings)},`);
    lines.push(`    source: ${JSON.stringify(kernel.source)},`);
    lines.push('  },');
  }
  lines.push('};', '');
  return lines.join('\n');
}
