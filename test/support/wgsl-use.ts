/**
 * What a kernel asks of a device: invocations of a workgroup and bytes of workgroup memory, read off its text.
 *
 * For checks of plans for devices that are not there. No parser: it knows the WGSL that the catalogue is written in,
 * and throws at what it does not know.
 */

export interface WorkgroupUse {
  readonly invocations: number;
  readonly memoryBytes: number;
}

const scalars: Readonly<Record<string, number>> = { f32: 4, u32: 4, i32: 4, f16: 2 };

/** @throws Error with the text that it cannot read */
export function workgroupUse(code: string): WorkgroupUse {
  const text = code.replace(/\/\/.*$/gm, '');
  const constants = new Map(
    [...text.matchAll(/^const (\w+): u32 = (.+);/gm)].map(
      ([, name, value]) => [name, value] as [string, string],
    ),
  );
  const aliases = new Map<string, string>();
  for (const [, name, type] of text.matchAll(/^alias (\w+) = (.+);/gm)) {
    aliases.set(name as string, type as string);
  }
  const structs = new Map<string, string[]>();
  for (const [, name, body] of text.matchAll(/^struct (\w+) \{([^}]*)\}/gm)) {
    structs.set(
      name as string,
      [...(body as string).matchAll(/:\s*([\w<>]+)/g)].map(([, type]) => type as string),
    );
  }
  const sizeOf = (type: string): number => {
    const known = aliases.get(type);
    if (known) return sizeOf(known);
    const [, item, length] = /^array<(.+), ([^,]+)>$/.exec(type) ?? [];
    if (item) return sizeOf(item) * Number(evaluate(length as string, constants));
    const [, outer, inner] = /^(vec2|vec4|atomic)<(.+)>$/.exec(type) ?? [];
    if (outer) return { vec2: 2, vec4: 4, atomic: 1 }[outer as 'vec2']! * sizeOf(inner as string);
    const fields = structs.get(type);
    if (fields) return Math.ceil(fields.reduce((sum, field) => sum + sizeOf(field), 0) / 4) * 4;
    const size = scalars[type];
    if (size === undefined) throw new Error(`unknown type '${type}'`);
    return size;
  };
  let memoryBytes = 0;
  for (const [, type] of text.matchAll(/^var<workgroup> \w+: (.+);/gm)) {
    memoryBytes += Math.ceil(sizeOf(type as string) / 16) * 16;
  }
  const [, sizes] = /@workgroup_size\(([^)]*)\)/.exec(text) ?? [];
  if (!sizes) throw new Error('no @workgroup_size');
  const invocations = sizes.split(',').reduce((product, size) => product * evaluate(size, constants), 1n);
  return { invocations: Number(invocations), memoryBytes };
}

/** An expression of whole numbers and constants, which may be declared after it; division rounds down, as in WGSL. */
function evaluate(expression: string, constants: ReadonlyMap<string, string>): bigint {
  const body = expression.replace(/\b(\d+)u?\b/g, '$1n');
  if (!/^[\w\s()+\-*/%|=,]+$/.test(body)) throw new Error(`unknown expression '${expression}'`);
  const names = [...new Set(body.match(/\b[A-Za-z_]\w*\b/g))];
  const values = names.map((name) => {
    if (name === 'max') return (a: bigint, b: bigint) => (a > b ? a : b);
    if (name === 'select') return (no: bigint, yes: bigint, which: boolean) => (which ? yes : no);
    const value = constants.get(name);
    if (value === undefined) throw new Error(`unknown expression '${expression}'`);
    return evaluate(value, constants);
  });
  return new Function(...names, `return ${body}`)(...values) as bigint;
}
