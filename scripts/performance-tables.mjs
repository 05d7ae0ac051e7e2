// Fills the tables of docs/performance.md and docs/compiled-kernels.md from committed result files.
//
//   node scripts/performance-tables.mjs [--check]
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { codeTables } from './code-tables.mjs';

const root = fileURLToPath(new URL('../', import.meta.url));
const results = 'packages/bench/results';
const devices = { lavapipe: 'lavapipe', 'lavapipe-26': 'lavapipe 26.1', swiftshader: 'SwiftShader' };
const pages = {
  'docs/performance.md': [
    ['peers', peerTables()],
    ['profile', profileTables()],
    ['adapters', adapterTables()],
    ['start', startTables()],
    ['host', hostTables()],
    ['kernels', kernelTables()],
    ['curves', curveTables()],
    ['large', largeTables()],
    ['mixed', mixedTables()],
  ],
  'docs/compiled-kernels.md': [['code', codeTables(read, link)]],
};

const check = process.argv.includes('--check');
for (const [page, tables] of Object.entries(pages)) {
  const text = readFileSync(root + page, 'utf8');
  const filled = tables.reduce((filling, [tag, lines]) => put(page, filling, tag, lines), text);
  if (!check) {
    writeFileSync(root + page, filled);
  } else if (filled === text) {
    console.log(`${page} agrees with its result files`);
  } else {
    console.error(
      `${page} does not agree with its result files: run \`node scripts/performance-tables.mjs\`.`,
    );
    process.exitCode = 1;
  }
}

function put(page, text, tag, lines) {
  const [open, close] = [`<!-- ${tag} -->`, `<!-- /${tag} -->`];
  const [from, to] = [text.indexOf(open), text.indexOf(close)];
  if (from < 0 || to < from) throw new Error(`${page} has no ${open} … ${close}`);
  return `${text.slice(0, from)}${open}\n\n${lines.join('\n').trimEnd()}\n\n${text.slice(to)}`;
}

function read(device, name) {
  const file = `${root}${results}/${device}/${name}.json`;
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

function peerTables() {
  return Object.entries(devices).flatMap(([device, title]) => {
    const data = read(device, 'peers');
    if (!data) return [];
    return [
      `### ${title}`,
      '',
      ...peerTable('Training step', data.training_step, 2),
      ...peerTable('Layer forward', data.layer_forward, 3),
      ...missingPeers(data),
      origin(device, data),
      '',
    ];
  });
}

function peerTable(title, rows, digits) {
  if (rows.length === 0) return [];
  const head = '| median s (p10–p90) | × synglot | CPU s | × CPU | cold start s | load before |';
  return [
    `| ${title} ${head}`,
    '|---|---|---|---|---|---|---|',
    ...rows.map((row) => peerRow(row, digits)),
    '',
  ];
}

function peerRow(row, digits) {
  if (row.failed) return `| ${row.failed} | | | | | | ${row.load_before.toFixed(1)} |`;
  const { median, p10, p90 } = row.seconds;
  const cells = [
    `${row.library} ${row.version}`,
    `${median.toFixed(digits)} (${p10.toFixed(digits)}–${p90.toFixed(digits)})`,
    row.times_synglot.toFixed(2),
    row.cpu_seconds.toFixed(digits),
    row.times_synglot_cpu.toFixed(2),
    row.cold_start_seconds.toFixed(1),
    row.load_before.toFixed(1),
  ];
  return `| ${cells.join(' | ')} |`;
}

function missingPeers({ training_step: rows }) {
  const absent = ['tfjs', 'jax-js'].filter(
    (name) => !rows.some((row) => (row.library ?? row.failed).includes(name)),
  );
  return absent.length === 0 ? [] : [`Not measured here: the training step of ${absent.join(' and ')}.`, ''];
}

function origin(
  device,
  { training_step: step, layer_forward: layer, host, commit, uncommitted_changes: edited },
) {
  const rows = [...step, ...layer].filter((row) => row.seconds);
  const { driver, seconds } = rows[0];
  const losses = step.flatMap((row) => (row.loss ? [row.loss.first] : []));
  const range = `first losses ${Math.min(...losses).toFixed(6)} to ${Math.max(...losses).toFixed(6)}`;
  const where = `${host.cores} cores (${host.cpu}), Node ${host.node}, at commit ${commit}${edited ? ' with uncommitted changes' : ''}`;
  return `[${device}/peers.json](../${results}/${device}/peers.json): ${seconds.runs} timed run${seconds.runs > 1 ? 's' : ''} each after the first, ${range}; ${driver}; ${where}. 'Load before' is the one-minute load average of the machine when the process began.`;
}

function adapterTables() {
  return Object.entries(devices).flatMap(([device, title]) => {
    const data = read(device, 'adapters');
    if (!data) return [];
    const megabytes = (bytes) => (bytes / 1e6).toFixed(2);
    const whole = data.results[0].step_seconds.median;
    const { host, commit, load_average: load } = data;
    return [
      `| ${title} | gradients MB | optimiser MB | activations MB | dispatches | step s (p10–p90) | × full |`,
      '|---|---|---|---|---|---|---|',
      ...data.results.map(
        ({ method, gradient_bytes, optimizer_bytes, activation_bytes, dispatches, step_seconds: step }) =>
          `| ${method} | ${megabytes(gradient_bytes)} | ${megabytes(optimizer_bytes)} | ${megabytes(activation_bytes)} | ${dispatches} | ${step.median.toFixed(2)} (${step.p10.toFixed(2)}–${step.p90.toFixed(2)}) | ${(step.median / whole).toFixed(2)} |`,
      ),
      '',
      `[${device}/adapters.json](../${results}/${device}/adapters.json): ${data.benchmark}; ${data.results[0].step_seconds.runs} timed rounds, each method once a round; ${data.device.driver}; ${host.cores} cores, commit ${commit}, load average ${load[0]}.`,
      '',
    ];
  });
}

function profileTables() {
  return Object.entries(devices).flatMap(([device, title]) => {
    const data = read(device, 'step-native');
    if (!data?.profile) return [];
    const total = sum(data.profile);
    const share = (rows) => `${((100 * sum(rows)) / total).toFixed(0)}%`;
    const of = (prefix) => data.profile.filter(({ kernel }) => kernel.startsWith(prefix));
    const rest = data.profile.slice(10);
    const line = (name, dispatches, rows) =>
      `| ${name} | ${dispatches} | ${sum(rows).toFixed(0)} | ${share(rows)} |`;
    return [
      `| ${title} | dispatches | ms | share |`,
      '|---|---|---|---|',
      ...data.profile.slice(0, 10).map((row) => line(`\`${row.kernel}\``, row.dispatches, [row])),
      line(
        `${rest.length} others`,
        rest.reduce((count, row) => count + row.dispatches, 0),
        rest,
      ),
      '',
      `[${device}/step-native.json](../${results}/${device}/step-native.json): matrix products ${share(of('matmul'))}, attention ${share(of('attention'))} of the device time of one step; load average ${data.load_average[0]}.`,
      '',
    ];
  });
}

/** What a file was measured on, for the line under a table. */
function place({ device, commit, uncommitted_changes: edited, load_average: load }) {
  return `${device.name}, ${device.driver}; commit ${commit}${edited ? ' with uncommitted changes' : ''}, load average ${load[0]}`;
}

function link(device, name) {
  return `[${device}/${name}.json](../${results}/${device}/${name}.json)`;
}

function forDevices(name, table) {
  return Object.entries(devices).flatMap(([device, title]) => {
    const data = read(device, name);
    return data ? [...table(data, title, device), ''] : [];
  });
}

function startTables() {
  return forDevices('start-native', (data, title, device) => [
    `| ${title} | to the first loss, s (p10–p90) | processor s | without weights and a step, s |`,
    '|---|---|---|---|',
    ...Object.entries(data.seconds).map(([name, start]) => {
      const { median, p10, p90 } = start.total;
      const cells = [
        `${median.toFixed(2)} (${p10.toFixed(2)}–${p90.toFixed(2)})`,
        start.cpu.median.toFixed(2),
      ];
      return `| ${name} | ${cells.join(' | ')} | ${start.overhead.median.toFixed(2)} |`;
    }),
    '',
    `${link(device, 'start-native')}: ${data.driver}; commit ${data.commit}, load average ${data.load_average[0]}.`,
  ]);
}

function hostTables() {
  return forDevices('host', (data, title, device) => {
    const { dispatch, reading, making, event_loop: loop } = data;
    const range = ({ median, p10, p90 }) => `${median.toFixed(2)} (${p10.toFixed(2)}–${p90.toFixed(2)})`;
    const ways = [
      ['the device has nothing to do', dispatch.empty],
      ['it computes, on the same cores', dispatch.computing],
      ["nothing to do, without the driver's part", dispatch.empty_without_driver],
      ['nothing to do, and Dawn does not check', dispatch.empty_unchecked],
      ["nothing to do, and glibc's lists are long", dispatch.empty_long_lists],
      ['nothing to do, no checks, long lists', dispatch.empty_unchecked_long_lists],
    ];
    const cost = (name, of) =>
      `| ${name} | ${ways.map(([, { us_a_dispatch: each }]) => range(of(each))).join(' | ')} |`;
    const { main_ms: main } = making;
    const share = main.sample.median + main.pack.median + making.worker_hand_over_main_ms.median;
    const delay = (name, { delay_ms: late, main_ms_a_step: own, steps }) =>
      `| ${name} | ${[late.mean, late.p99, late.max].map((value) => value.toFixed(2)).join(' | ')} | ${steps > 1 ? own.toFixed(1) : ''} |`;
    return [
      `| ${title}: µs a dispatch, of ${dispatch.empty.dispatches} | ${ways.map(([way]) => way).join(' | ')} |`,
      `|---|${ways.map(() => '---|').join('')}`,
      cost('before the device can begin: feeds, submission', ({ before_the_device: each }) => each),
      cost('recording ahead, while the device works', ({ record_ahead: each }) => each),
      cost('both', ({ total }) => total),
      cost('the call on the JavaScript thread', ({ javascript_call: each }) => each),
      '',
      `| ${title}: a batch of ${making.pairs} pairs | ms |`,
      '|---|---|',
      `| JavaScript thread: sampling | ${range(main.sample)} |`,
      `| JavaScript thread: texts to the tokenizer and back, masks, packing | ${range(main.collate)} |`,
      `| JavaScript thread: feeds of the plan | ${range(main.pack)} |`,
      `| JavaScript thread: all of it | ${range(main.total)} |`,
      `| other threads: tokenizing | ${range(making.other_threads_ms)} |`,
      `| code-switching, on top of it | ${range(making.code_switching_main_ms)} |`,
      `| handing texts to a worker and taking tokens back | ${range(making.worker_hand_over_main_ms)} |`,
      `| what a worker would leave to the JavaScript thread | ${share.toFixed(2)} |`,
      '',
      `| ${title}: event loop late by ms | mean | p99 | most | JavaScript thread, ms a step |`,
      '|---|---|---|---|---|',
      delay('nothing happens', loop.idle),
      delay('the device works on one batch again and again', loop.device),
      delay('training', loop.training),
      '',
      `Reading ${reading.pairs} pairs from JSONL: ${reading.main_ms.median.toFixed(0)} ms of the JavaScript thread.`,
      '',
      ...tokenizerLine(device),
      `${link(device, 'host')}: ${data.texts}; ${making.tokens.toFixed(0)} tokens a batch; ${loop.training.steps} training steps of ${(loop.training.seconds / loop.training.steps).toFixed(2)} s; ${data.host.cores} cores; ${place(data)}.`,
    ];
  });
}

function tokenizerLine(device) {
  const data = read(device, 'host-tokenizer');
  if (!data) return [];
  const { tokens, megabytes, main_ms: held } = data;
  return [
    `Reading a tokenizer.json of ${tokens} tokens, ${megabytes.toFixed(1)} MB: ${held.median.toFixed(0)} ms (${held.p10.toFixed(0)}–${held.p90.toFixed(0)}) of the JavaScript thread (${link(device, 'host-tokenizer')}, commit ${data.commit}, load average ${data.load_average[0]}).`,
    '',
  ];
}

function kernelTables() {
  return [
    ...opTables('kernels'),
    // What only these kernels compute; the others are as above.
    ...opTables(
      'kernels-matmul-subgroup_matrix',
      ', products on matrix units',
      (op) => op.share_of_matrix_units,
    ),
    ...opTables('kernels-attention-subgroup_matrix', ', attention on matrix units'),
    ...opTables('kernels-attention-workgroup', ', attention by tiles in workgroup memory'),
  ];
}

function opTables(name, what = '', kept = () => true) {
  return forDevices(name, (data, title, device) => {
    const { ceilings } = data;
    const percent = (share) => `${(100 * share).toFixed(0)}%`;
    const ops = data.ops.filter(kept);
    const units = ops.some((op) => op.share_of_matrix_units !== undefined);
    return [
      `**${title}${what}**: copy ${ceilings.copy_gb_per_second.toFixed(1)} GB/s, multiply-add ${ceilings.fma_f32_gflops_per_second.toFixed(1)} GFLOP/s in f32${ceilings.fma_f16_gflops_per_second === null ? '' : `, ${ceilings.fma_f16_gflops_per_second.toFixed(1)} in f16`}${ceilings.matrix.map((each) => `, ${each.gflops_per_second.toFixed(1)} by ${each.M} × ${each.N} × ${each.K} matrices ${each.component} → ${each.result}`).join('')}.`,
      '',
      `| op | ms | GFLOP/s | of multiply-add |${units ? ' of matrix units |' : ''} GB/s | of copy |`,
      `|---|---|---|---|${units ? '---|' : ''}---|---|`,
      ...ops.map((op) => {
        const counted = op.gflops_per_second > 0;
        const cells = [
          (op.seconds.median * 1000).toFixed(2),
          counted ? op.gflops_per_second.toFixed(1) : '',
          counted ? percent(op.share_of_multiply_add) : '',
          ...(units ? [op.share_of_matrix_units === undefined ? '' : percent(op.share_of_matrix_units)] : []),
          op.gb_per_second.toFixed(1),
          percent(op.share_of_copy),
        ];
        return `| ${op.name} | ${cells.join(' | ')} |`;
      }),
      '',
      `${link(device, name)}: ${place(data)}.`,
    ];
  });
}

function curveTables() {
  return forDevices('curves', (data, title, device) => [
    `| ${title} | s a step | GFLOP/s | plan's buffers MiB | parameters, gradients, state MiB |`,
    '|---|---|---|---|---|',
    ...Object.entries(data.curves).flatMap(([name, rows]) =>
      rows.map((row) => {
        const mib = (bytes) => (bytes / 2 ** 20).toFixed(1);
        const cells = [
          row.seconds.median.toFixed(3),
          row.gflops_per_second.toFixed(1),
          mib(row.memory_bytes.plan),
          mib(row.memory_bytes.parameters),
        ];
        return `| ${name} ${row[name]} | ${cells.join(' | ')} |`;
      }),
    ),
    '',
    `${link(device, 'curves')}: ${data.benchmark}; ${place(data)}.`,
  ]);
}

function largeTables() {
  return forDevices('step-xlm-r-base-native', (data, title, device) => [
    `${title}: ${data.benchmark}: ${data.tokens} tokens, ${data.seconds.median.toFixed(1)} s a step, ${data.gflops_per_second.toFixed(1)} GFLOP/s, ${data.dispatches} dispatches; the device idle ${(100 * data.idle_share).toFixed(2)}% of the profiled step, whose dispatches take ${data.profiled_seconds.toFixed(1)} s.`,
    `${link(device, 'step-xlm-r-base-native')}: ${place(data)}.`,
  ]);
}

function mixedTables() {
  return forDevices('mixed-precision', (data, title, device) => {
    const { final_loss: loss, map, rank_distance: rank } = data.comparison;
    const row = (name, { f32, mixed, relative_difference: difference, spread_of_f32: spread }, digits) => {
      const sign = difference < 0 ? '−' : '+';
      const percent = `${sign}${(100 * Math.abs(difference)).toFixed(2)}%`;
      return `| ${name} | ${f32.toFixed(digits)} | ${mixed.toFixed(digits)} | ${percent} | ${spread.toFixed(digits)} |`;
    };
    const skipped = data.runs.reduce((total, run) => total + run.skipped, 0);
    return [
      `| ${title}, mean of ${data.seeds} seeds | f32 | mixed | difference | spread |`,
      '|---|---|---|---|---|',
      row('final loss', loss, 4),
      row('mAP monolingual', map.monolingual, 4),
      row('mAP cross-lingual', map.cross_lingual, 4),
      row('mAP multilingual', map.multilingual, 4),
      row('rank distance', rank, 1),
      '',
      `${link(device, 'mixed-precision')}: ${data.steps} updates of ${data.batch_size} pairs, ${skipped} of them skipped; ${place(data)}.`,
    ];
  });
}

function sum(rows) {
  return rows.reduce((total, { milliseconds }) => total + milliseconds, 0);
}
