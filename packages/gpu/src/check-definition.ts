/**
 * Whether a kernel's definition lists what its text declares. The catalogue's are made from their texts; one's own is
 * written beside its text, and where the two differ a device computes with other data and says nothing.
 */
import type { KernelDefinition } from '@synglot/kernels';
import { GpuError } from './errors.js';
import { paramsBinding } from './plan.js';

const comment = /\/\/.*|\/\*[\s\S]*?\*\//g;
/** Attributes, address space, access, name and type of a buffer. */
const buffer = /((?:@\w+\([^)]*\)\s*)+)var<\s*(storage|uniform)\s*(?:,\s*(\w+)\s*)?>\s*(\w+)\s*:\s*(\w+)/g;

/** Throws `PLAN_INVALID` unless a definition has the storage bindings and the fields of `Params` that its text has. */
export function checkDefinition(
  { includes, source, bindings, params }: KernelDefinition,
  where: string,
): void {
  const text = [...includes, source].join('\n').replace(comment, '');
  const expectSame = (what: string, declared: string, listed: string) => {
    if (declared === listed) return;
    throw new GpuError(
      'PLAN_INVALID',
      `${where}: ${what} is ${declared} in its text, ${listed} in its definition`,
    );
  };
  for (const [, attributes = '', space, access = 'read', name, type] of text.matchAll(buffer)) {
    const [group, binding] = ['group', 'binding'].map((at) => attributes.match(`@${at}\\(\\s*(\\d+)`)?.[1]);
    if (space === 'storage' && group === '0' && binding) {
      const listed = bindings[Number(binding)];
      const known = listed ? `'${listed.name}' (${listed.access})` : 'missing';
      expectSame(`binding ${binding}`, `'${name}' (${access})`, known);
    }
    const fields = text.match(`struct\\s+${type}\\s*\\{([^}]*)\\}`)?.[1]?.match(/[^,\s][^,]*/g);
    if (space === 'uniform' && group === '0' && Number(binding) === paramsBinding && fields) {
      const declared = fields.map((field) => field.trim().replace(/\s*:\s*/, ': '));
      const listed = params.map((field) => `${field.name}: ${field.type}`);
      expectSame(`'${name}'`, `{ ${declared.join(', ')} }`, `{ ${listed.join(', ')} }`);
    }
  }
}
