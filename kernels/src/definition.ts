/** What the generator reads from one WGSL file. */
export interface KernelDefinition {
  /** File name without `.wgsl`; pipeline label, profile row and test name alike. */
  readonly name: string;
  /** WGSL texts that go before the source. */
  readonly includes: readonly string[];
  /** WGSL extensions that the device must have been granted: `subgroups`. */
  readonly enables: readonly string[];
  /** Whether group 1 binding 1 is the `Step` uniform. */
  readonly usesStep: boolean;
  readonly constants: readonly {
    readonly name: string;
    readonly type: 'u32' | 'i32' | 'f32' | 'bool';
    readonly value: number | boolean;
  }[];
  readonly params: readonly { readonly name: string; readonly type: 'u32' | 'i32' | 'f32' }[];
  readonly bindings: readonly {
    readonly name: string;
    readonly access: 'read' | 'read_write';
    /** WGSL type of the binding: `array<vec4<f32>>`. */
    readonly type: string;
  }[];
  readonly source: string;
}
