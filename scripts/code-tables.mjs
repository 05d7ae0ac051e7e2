// The tables of docs/compiled-kernels.md, for performance-tables.mjs.

/**
 * Lines of both vendors.
 *
 * @param read the result file of a device by name, or nothing
 * @param link the Markdown link to it
 */
export function codeTables(read, link) {
  const codesOf = (...args) => vendorTables(read, link, ...args);
  return [
    ...codesOf('AMD', 'radv-navi31', 1000, [
      ['dispatches', (row) => row.dispatches],
      ['subgroup', (row) => row.subgroup_size],
      ['registers', (row) => row.registers],
      ['workgroup memory', (row) => row.workgroup_memory_bytes],
      ['waves', (row) => row.waves_per_simd],
      ['instructions', (row) => row.instructions],
      ['matrix', (row) => row.matrix_instructions],
      ['wide of buffer loads', (row) => `${row.wide_buffer_loads} of ${row.buffer_loads}`],
      ['of workgroup loads', (row) => `${row.wide_workgroup_loads} of ${row.workgroup_loads}`],
      ['cycles', (row) => row.estimated_cycles],
      ['without clamps', (row) => row.estimated_cycles_unclamped],
    ]),
    ...codesOf('NVIDIA', 'nvk-gh100', 20_000, [
      ['dispatches', (row) => row.dispatches],
      ['registers', (row) => row.registers],
      ['workgroup memory', (row) => row.workgroup_memory_bytes],
      ['warps', (row) => row.warps_per_multiprocessor],
      ['instructions', (row) => row.instructions],
      ['matrix', (row) => row.matrix_instructions],
      ['wide of workgroup loads', (row) => `${row.wide_workgroup_loads} of ${row.workgroup_loads}`],
      ['cycles', (row) => row.estimated_cycles],
      ['without clamps and checks', (row) => row.estimated_cycles_unclamped],
      [
        'wide of buffer loads, without',
        (row) => `${row.wide_buffer_loads_unclamped} of ${row.buffer_loads_unclamped}`,
      ],
    ]),
  ];
}

function vendorTables(read, link, vendor, device, least, columns) {
  const table = (name, what) => codeTable(read(device, name), link(device, name), least, columns, what);
  const all = table('code-xlm-r-base');
  const units = table('code-xlm-r-base-attention-subgroup_matrix', ', attention on matrix units');
  return all.length === 0 ? [] : [`## ${vendor}`, '', ...all, ...units];
}

function codeTable(data, source, least, columns, what = '') {
  if (!data) return [];
  const from = least.toLocaleString('en');
  return [
    ...Object.entries(data.steps).flatMap(([step, rows]) => {
      const shown = rows.filter((row) => row.estimated_cycles >= least);
      const spilled = rows.filter((row) => row.spilled_registers > 0 || row.scratch_bytes > 0);
      const lacking = spilled.map(({ kernel }) => `\`${kernel}\``).join(', ');
      return [
        `**${step}${what}**: ${rows.length} kernels; registers ${lacking ? `are too few for ${lacking}` : 'suffice for all'}. Those of ${from} cycles or more:`,
        '',
        `| kernel | ${columns.map(([title]) => title).join(' | ')} |`,
        `|${'---|'.repeat(columns.length + 1)}`,
        ...shown.map((row) => {
          const cells = columns.map(([, value]) => value(row));
          return `| \`${row.kernel}\`${row.constants ? ` ${row.constants}` : ''} | ${cells.join(' | ')} |`;
        }),
        '',
      ];
    }),
    `${source}: a step of ${data.shape}, ${data.pairs} pairs of lengths ${data.lengths}; ${data.device.name} (${data.device.architecture}), ${data.device.driver}; Dawn ${data.dawn}; commit ${data.commit}${data.uncommitted_changes ? ' with uncommitted changes' : ''}.`,
    '',
  ];
}
