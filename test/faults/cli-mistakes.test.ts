/** Users' mistakes: exit 2 and one line on standard error that names the file, the line and the remedy. */
import { cp, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { miniLm, runCli, runCliWell, startCli } from '../support/cli.js';
import { expectMistake, makeWorkplace, type Workplace, writeConfig } from './cli-support.js';

let place: Workplace;
beforeAll(async () => {
  place = await makeWorkplace('mistakes');
});
afterAll(() => place.remove());

const inPlace = (...parts: string[]) => join(place.path, ...parts);

/** `synglot train` with a changed configuration. */
async function expectTrainMistake(
  name: string,
  changes: Readonly<Record<string, string | null>>,
  texts: readonly (string | RegExp)[],
): Promise<void> {
  const config = await writeConfig(place, name, changes);
  // A device in the environment comes before the configuration's.
  const env = { SYNGLOT_DEVICE: undefined };
  await expectMistake(['train', config, '--output', inPlace(`run-${name}`)], texts, { env });
}

describe('the command line', () => {
  it('drops output that nobody reads any more, and does its work', async () => {
    const { child, done } = startCli(['--help']);
    child.stdout!.destroy();
    const { code, stderr } = await done;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it.each([
    [['tran'], ["unknown command 'tran'", 'Did you mean train?', 'synglot --help']],
    [
      ['demo', '--stepz', '3'],
      ["unknown option '--stepz'", '--steps', 'synglot demo --help'],
    ],
    [
      ['demo', '--steps', '0'],
      ["'--steps <n>'", "'0'", 'expected a whole number from 1'],
    ],
    [
      ['encode', '--model', 'm'],
      ["'--input <file>' not specified", 'synglot encode --help'],
    ],
    [
      ['devices', '--device', 'gpv'],
      ["'gpv'", 'gpu, lavapipe, swiftshader', 'usable: '],
    ],
    [
      ['devices', '--device', 'cuda'],
      ["'cuda'", "did you mean 'gpu'?"],
    ],
    [
      ['devices', '--device', 'gpu:7'],
      ['device', /usable: .*swiftshader \(swiftshader/i],
    ],
    [
      ['devices', '--executor', 'cuda'],
      ["'cuda'", 'native, webgpu'],
    ],
  ] as const)('%j', (args, texts) => expectMistake(args, texts));

  it('an unknown device, in the environment', () =>
    expectMistake(['devices'], ['gpv', 'lavapipe'], { env: { SYNGLOT_DEVICE: 'gpv' } }));
});

describe('the configuration', () => {
  it('is missing', () =>
    expectMistake(['train', 'none.yaml'], ['none.yaml: no such file', 'docs/training.md']));

  it('has a misspelt key', () =>
    expectTrainMistake('key', { sampling: '\n  mode: hybrid\n  batch_sise: 4' }, [
      /key\.yaml:5: /,
      "unknown key 'sampling.batch_sise'",
      "did you mean 'batch_size'?",
    ]));

  it('is no YAML', () =>
    expectTrainMistake('yaml', { sampling: '{ batch_size: 4' }, [/yaml\.yaml:\d: not YAML/]));

  it('is in another encoding', async () => {
    const config = inPlace('latin.yaml');
    await writeFile(config, Buffer.from('model: modèle\n', 'latin1'));
    await expectMistake(['train', config], [`${config}: not UTF-8; save it as UTF-8`]);
  });

  it('has a number that only the data or the model show to be wrong', async () => {
    const wrong = (changes: Readonly<Record<string, string>>, message: string) =>
      expectTrainMistake('late-number', changes, [message]);
    await wrong(
      { sampling: '{ batch_size: 4, alpha: [[5, 1], [5, 0]] }' },
      'late-number.yaml:3: sampling: `alpha`: expected a list of [step, value] with rising steps',
    );
    await wrong(
      { text: '{ passage_max_length: 2 }' },
      'late-number.yaml:5: text.passage_max_length: maximum length 2 leaves no room for text',
    );
    await wrong(
      { text: '{ query_max_length: 12 }', training: '{ steps: 2, cache_tokens: 12 }' },
      'training.cache_tokens 12: with text.passage_max_length 256 a text may have 32 tokens; raise it, or lower',
    );
    await wrong(
      { hold_out: '{ fraction: 1 }' },
      'hold_out.fraction 1 and validation.fraction 0 hold out all 36',
    );
  });

  it('has a value of the wrong kind', () =>
    expectTrainMistake('kind', { sampling: '{ batch_size: many }' }, [
      /kind\.yaml:3: 'sampling\.batch_size'/,
      'expected a number but received "many"',
    ]));

  it('lacks a key', () => expectTrainMistake('lacks', { training: null }, ["'training' is missing"]));

  it('names an unknown device', () =>
    expectTrainMistake('device', { device: 'gpv' }, ["'gpv'", 'swiftshader']));

  it('names an unknown device, or one without half precision, and the data are not read first', async () => {
    const broken = inPlace('unread.jsonl');
    await writeFile(broken, '{');
    const data = `[{ format: pairs-jsonl, path: ${broken} }]`;
    await expectTrainMistake('device-first', { model: 'fresh', data, device: 'gpv' }, ["'gpv'"]);
    await expectTrainMistake(
      'half-first',
      { model: 'fresh', data, device: 'swiftshader', training: '{ steps: 2, precision: mixed }' },
      ['mixed precision needs a device with half precision (shader-f16), which SwiftShader'],
    );
  });

  it.each([
    ['plan', []],
    ['mine', ['--output', 'mined.jsonl']],
    ['distill-teacher', ['--output', 'teacher', '--teacher', 'model']],
    ['sweep', ['--output', 'sweep']],
  ] as const)('names an unknown device, and it is what %s uses', async (command, more) => {
    const changes = { device: 'gpv', hold_out: '{ fraction: 0.25 }' };
    const config = await writeConfig(place, `device-${command}`, changes);
    const [cwd, env] = [place.path, { SYNGLOT_DEVICE: undefined }];
    await expectMistake([command, config, ...more], ['device: expected one of gpu,', "'gpv'"], {
      cwd,
      env,
      late: true,
    });
  });

  it('names an unknown device, and it is what probe uses', async () => {
    const config = await writeConfig(place, 'device-probe', { device: 'gpv' });
    await expectMistake(['probe', config, '--model', place.model], ["'gpv'"], {
      env: { SYNGLOT_DEVICE: undefined },
      late: true,
    });
  });

  it('asks for half precision in some runs of a sweep, and none is begun on a device without', async () => {
    const config = await writeConfig(place, 'half-sweep', { hold_out: '{ fraction: 0.25 }' });
    const output = inPlace('half-sweep');
    const over = ['--over', 'training.precision=f32,mixed', '--seeds', '1'];
    await expectMistake(
      ['sweep', config, ...over, '--device', 'swiftshader', '--output', output],
      ['mixed precision needs a device with half precision (shader-f16), which SwiftShader'],
      { late: true },
    );
    expect((await readdir(output)).filter((name) => name.includes('seed='))).toEqual([]);
  });

  it('names two devices in one sweep', async () => {
    const configs = await Promise.all(
      ['lavapipe', 'gpu:1'].map((device) =>
        writeConfig(place, device.slice(0, 3), { device, hold_out: '{ fraction: 0.25 }' }),
      ),
    );
    await expectMistake(
      ['sweep', ...configs, '--output', inPlace('sweep-two')],
      ["'lavapipe', 'gpu:1'", '--device'],
      { env: { SYNGLOT_DEVICE: undefined } },
    );
  });
});

describe('the data', () => {
  it('are missing', () =>
    expectTrainMistake('no-data', { data: '[{ format: pairs-jsonl, path: none.jsonl }]' }, [
      'none.jsonl: no such file',
    ]));

  it('are a glob that matches nothing', () =>
    expectTrainMistake('no-shards', { data: `[{ format: parquet, path: ${inPlace('train-*.parquet')} }]` }, [
      /no-shards\.yaml:2: data path \S+train-\*\.parquet: no file matches; in \S+ there are .*; correct the glob/,
    ]));

  it('are a folder of shards', async () => {
    await mkdir(inPlace('shards'), { recursive: true });
    await writeFile(inPlace('shards', 'train-0.jsonl'), '');
    await expectTrainMistake('folder', { data: `[{ format: pairs-jsonl, path: ${inPlace('shards')} }]` }, [
      'give a glob such as',
      inPlace('shards', 'train*.jsonl'),
    ]);
  });

  it('are broken in one of several shards', async () => {
    await writeFile(inPlace('part-0.jsonl'), await readFile(place.pairs, 'utf8'));
    await writeFile(inPlace('part-1.jsonl'), '{"query": "q", "lang": "en"}\n');
    const data = `[{ format: pairs-jsonl, path: ${inPlace('part-*.jsonl')} }]`;
    await expectTrainMistake('shard', { data }, [/part-1\.jsonl:1: /, 'passage']);
  });

  it('are in an unknown format', () =>
    expectTrainMistake('format', { data: `[{ format: pairs-json, path: ${place.pairs} }]` }, [
      /\.yaml:\d+: unknown data format/,
      "'pairs-json'",
      "did you mean 'pairs-jsonl'",
    ]));

  it('have a misspelt option', () =>
    expectTrainMistake('option', { data: `[{ format: pairs-jsonl, path: ${place.pairs}, limt: 3 }]` }, [
      /\.yaml:\d+: unknown key 'limt'/,
      "did you mean 'limit'",
    ]));

  it('are no JSON on line 3', async () => {
    const lines = (await readFile(place.pairs, 'utf8')).split('\n');
    lines[2] = `${lines[2]?.slice(0, -1)},`;
    await writeFile(inPlace('broken.jsonl'), lines.join('\n'));
    const data = `[{ format: pairs-jsonl, path: ${inPlace('broken.jsonl')} }]`;
    await expectTrainMistake('json', { data }, [/broken\.jsonl:3: /, 'JSON']);
  });

  it('lack the language that is asked for', () =>
    expectTrainMistake(
      'lang',
      { data: `[{ format: pairs-jsonl, path: ${place.pairs}, langs: [en, dee] }]` },
      [place.pairs, "unknown language 'dee'", "did you mean 'de'?"],
    ));

  it('have one language, for cross-lingual batches', () =>
    expectTrainMistake(
      'cross',
      {
        data: `[{ format: pairs-jsonl, path: ${place.pairs}, langs: [en] }]`,
        sampling: '{ mode: cross-lingual, batch_size: 4 }',
      },
      [place.pairs, 'no question has a passage in another language', 'add a second language'],
    ));

  it('have no pair of the languages asked for', () =>
    expectTrainMistake(
      'pair',
      { sampling: '{ mode: cross-lingual, batch_size: 4, only_pairs: [[en, sv]] }' },
      [place.pairs, "'sv'", 'only_pairs'],
    ));

  it('are fewer than a batch', () =>
    expectTrainMistake('batch', { sampling: '{ batch_size: 64 }' }, [
      place.pairs,
      'batch of 64 is larger than the data',
      'use a batch size of at most 12',
      'on_too_few',
    ]));

  it('are too few to hold some out', () =>
    expectTrainMistake('held', { sampling: '{ batch_size: 6 }', validation: '{ fraction: 0.2 }' }, [
      'validation.fraction 0.2',
      'hold out more',
    ]));
});

describe('the model', () => {
  const train = (name: string, model: string, texts: readonly (string | RegExp)[]) =>
    expectTrainMistake(name, { model }, texts);

  async function copyOfModel(name: string): Promise<string> {
    await cp(place.model, inPlace(name), { recursive: true });
    return inPlace(name);
  }

  it('is missing', () => train('no-model', inPlace('none'), [inPlace('none'), 'no such model folder']));

  it('has a truncated safetensors file', async () => {
    const model = await copyOfModel('truncated');
    await truncate(join(model, 'model.safetensors'), 3000);
    await train('truncated', model, [join(model, 'model.safetensors'), /get (it|the file) again/]);
  });

  it('has a safetensors header that lies', async () => {
    const model = await copyOfModel('lying');
    const file = join(model, 'model.safetensors');
    const bytes = await readFile(file);
    bytes.writeBigUInt64LE(2n ** 60n, 0);
    await writeFile(file, bytes);
    await train('lying', model, [file, /get (it|the file) again/]);
  });

  it('has a tokenizer with more pieces than the table has rows', async () => {
    const model = await copyOfModel('tokenizer');
    await cp(join(miniLm, 'tokenizer.json'), join(model, 'tokenizer.json'));
    await train('tokenizer', model, [join(model, 'tokenizer.json'), '256', /tokenizer that belongs|use the/]);
  });

  it('is the folder of a run, or of a checkpoint', async () => {
    const output = inPlace('run-as-model');
    await runCliWell(['train', await writeConfig(place, 'run-as-model'), '--output', output]);
    const step = join(output, 'checkpoints', 'step-000002');
    for (const folder of [output, step])
      await train('not-model', folder, [`${folder}: `, `give ${folder}/model`]);
    await rm(join(output, 'model'), { recursive: true });
    await train('not-model', output, [`give ${step}/model`]);
  });

  it('has no config.json', async () => {
    await mkdir(inPlace('no-config'));
    await train('no-config', inPlace('no-config'), [inPlace('no-config', 'config.json'), 'missing']);
  });

  it('is the same for encode and eval', async () => {
    const none = inPlace('none');
    const texts = inPlace('texts.txt');
    await writeFile(texts, 'a text\n');
    const encode = ['encode', '--model', none, '--input', texts, '--output', inPlace('out.npy')];
    await expectMistake(encode, [none, 'no such model folder']);
    const evaluate = ['eval', '--task', 'xquad-r', '--data', inPlace('no-data'), '--model', none];
    await expectMistake(evaluate, [inPlace('no-data')]);
  });
});

it('fetch takes languages and a split only where they choose among files', () =>
  expectMistake(
    ['fetch', 'beir/scifact', '--output', inPlace('fetched'), '--langs', 'en'],
    ['--langs is for miracl; of beir/scifact all files are fetched'],
    { env: { HF_HUB_OFFLINE: '1' } },
  ));

it('a benchmark that is asked for help answers as `bench --help` does', async () => {
  const [all, one] = await Promise.all([
    runCliWell(['bench', '--help']),
    runCliWell(['bench', 'step', '--help']),
  ]);
  expect(one.stdout).toBe(all.stdout);
});

it('a benchmark says once that a device is unknown, where another process opens it too', async () => {
  const { code, stdout, errorLines } = await runCli(['bench', 'start', '--device', 'gpv']);
  expect(errorLines).toEqual([expect.stringMatching(/^device: expected one of gpu.*'gpv'/)]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});
