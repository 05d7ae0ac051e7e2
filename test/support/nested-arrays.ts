/**
 * Arrays of arrays in workgroup memory as plain ones, for what rewrites modules and knows one index only.
 *
 * Kernels on matrix units give each matrix an array of its own (kernels/wgsl/include_matmul_subgroup_matrix.wgsl).
 */
import { closingBracket } from './closing-bracket.js';

/** `code` with `name[i][j]` as `name[(i) * (inner) + (j)]` and `&name[i], j` as `&name, (i) * (inner) + j`. */
export function flattenNestedArrays(code: string): string {
  const inner = new Map<string, string>();
  const text = code.replace(
    /\bvar<workgroup>\s*(\w+)\s*:\s*array<array<(\w+),([^<>;]*)>,([^<>;]*)>;/g,
    (_, name: string, type: string, length: string, count: string) => {
      inner.set(name, length.trim());
      return `var<workgroup> ${name}: array<${type}, (${count.trim()}) * (${length.trim()})>;`;
    },
  );
  if (!inner.size) return code;
  const names = [...inner.keys()].join('|');
  const flatten = (rest: string): string => {
    const access = new RegExp(`(&?)\\b(${names})\\[`).exec(rest);
    if (!access) return rest;
    const [head, pointer, name] = access as unknown as [string, string, string];
    const begin = access.index + head.length;
    const end = closingBracket(rest, begin, '[]');
    const first = `(${flatten(rest.slice(begin, end))}) * (${inner.get(name)})`;
    const before = rest.slice(0, access.index);
    const after = rest.slice(end + 1);
    if (pointer) {
      if (!/^\s*,/.test(after))
        throw new Error(`a pointer into '${name}' is not flattened as it is used here`);
      return `${before}&${name}, ${first} +${flatten(after.replace(/^\s*,/, ''))}`;
    }
    if (!after.startsWith('[')) throw new Error(`'${name}' is used with one index`);
    const last = closingBracket(after, 1, '[]');
    return `${before}${name}[${first} + (${flatten(after.slice(1, last))})]${flatten(after.slice(last + 1))}`;
  };
  return flatten(text);
}
