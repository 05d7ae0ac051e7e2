/**
 * WGSL extensions by the names that kernels use: their text in WGSL and the WebGPU feature that grants them.
 *
 * The one place to change when an experimental extension gets its final name.
 */
export type Extension = 'f16' | 'subgroups' | 'subgroup_size_control' | 'subgroup_matrix';

/** What follows `enable` in WGSL. */
export const extensionName: Readonly<Record<Extension, string>> = {
  f16: 'f16',
  subgroups: 'subgroups',
  subgroup_size_control: 'subgroup_size_control',
  subgroup_matrix: 'chromium_experimental_subgroup_matrix',
};

/** The feature that a device must have been granted. */
export const extensionFeature: Readonly<Record<Extension, string>> = {
  f16: 'shader-f16',
  subgroups: 'subgroups',
  subgroup_size_control: 'subgroup-size-control',
  subgroup_matrix: 'chromium-experimental-subgroup-matrix',
};
