/** The shape of a catalogue entry: what the generator reads from a WGSL file. No text is made here. */
import type { Extension } from './extensions.js';

/** Types of stored elements that kernels can be written for. */
export type ElementChoice = 'f32' | 'f16';

/** What the generator reads from one WGSL file. */
export interface KernelDefinition {
  /** File name without `.wgsl`; pipeline label, profile row and test name alike. */
  readonly name: string;
  /** WGSL texts that go before the source. */
  readonly includes: readonly string[];
  /** WGSL extensions that the device must have been granted: `subgroups`. */
  readonly enables: readonly Extension[];
  /** Whether binding 17 is the `Step` uniform. */
  readonly usesStep: boolean;
  readonly constants: readonly {
    readonly name: string;
    readonly type: 'u32' | 'i32' | 'f32' | 'bool';
    readonly value: number | boolean;
  }[];
  /** Element types that a dispatch may choose; the first choice is the default. */
  readonly types: readonly { readonly name: string; readonly choices: readonly ElementChoice[] }[];
  readonly params: readonly { readonly name: string; readonly type: 'u32' | 'i32' | 'f32' }[];
  /** Storage buffers: bindings 0, 1, 2 … */
  readonly bindings: readonly {
    readonly name: string;
    readonly access: 'read' | 'read_write';
    /** WGSL type of the binding: `array<vec4<f32>>`, or `array<vec4<Element>>` with a name of `types`. */
    readonly type: string;
  }[];
  /** WGSL with the entry point `main`; declares the bindings, and as binding 16 the params, that are listed above. */
  readonly source: string;
}
