/** What a sweep will run: every setting with every seed, each checked before the first one starts. */
import { basename, extname } from 'node:path';
import { hashTextHex } from '@synglot/data';
import { parseConfig, readConfigText, type TrainConfig, TrainError } from '@synglot/train';
import { type Axis, combinations } from './grid.js';

/** The key that `--learning-rates` varies. */
export const learningRateKey = 'optimizer.learning_rate';

/** One combination of settings: a row of the table. */
export interface Setting {
  /** Unique in the sweep; also the beginning of its folders' names. */
  readonly label: string;
  /** The label without the learning rate: what a learning rate is chosen for. */
  readonly method: string;
  readonly config: string;
  /** `key=value` each. */
  readonly values: readonly string[];
}

/** One training run. */
export interface PlannedRun {
  readonly setting: Setting;
  readonly seed: number;
  /** Name of its folder. */
  readonly name: string;
  readonly config: TrainConfig;
}

export interface SweepPlan {
  readonly settings: readonly Setting[];
  readonly seeds: readonly number[];
  /** Seed by seed, so that every setting has a run early. */
  readonly runs: readonly PlannedRun[];
}

export interface SweepPlanOptions {
  /** YAML files; each is a method of its own. */
  readonly configs: readonly string[];
  readonly axes: readonly Axis[];
  readonly learningRates?: readonly string[];
  readonly seeds: readonly number[];
  /** `key=value` settings of every run. */
  readonly set?: readonly string[];
}

/**
 * Checks every combination against the schema.
 *
 * @throws TrainError `INPUT_CONFIG` for an unknown key, an invalid value, a key that is swept twice
 */
export async function planSweep(options: SweepPlanOptions): Promise<SweepPlan> {
  const { configs, axes, learningRates, seeds, set = [] } = options;
  checkKeys(options);
  const rates = learningRates ? [{ key: learningRateKey, values: learningRates }] : [];
  const settings: Setting[] = [];
  const runs: PlannedRun[][] = seeds.map(() => []);
  /** By configuration: which setting has it. */
  const labels = new Map<string, string>();
  for (const path of configs) {
    const text = await readConfigText(path);
    const file = basename(path, extname(path));
    for (const values of combinations([...axes, ...rates])) {
      const own = learningRates ? values.slice(0, -1) : values;
      const setting: Setting = {
        label: labelOf(file, values, configs.length),
        method: labelOf(file, own, configs.length),
        config: path,
        values,
      };
      if (settings.some(({ label }) => label === setting.label)) {
        throw new TrainError('INPUT_CONFIG', `${path}: two configurations are called '${file}'; rename one`);
      }
      settings.push(setting);
      for (const [index, seed] of seeds.entries()) {
        const config = parseConfig(text, path, [...set, ...values, `training.seed=${seed}`]);
        const key = JSON.stringify(config);
        const same = labels.get(key);
        if (same !== undefined) {
          throw new TrainError(
            'INPUT_CONFIG',
            `'${setting.label}': the same as '${same}', and would be trained twice; leave one of them out`,
          );
        }
        labels.set(key, setting.label);
        if (learningRates && !config.validation) {
          const remedy = 'add `validation: { fraction: 0.02 }`';
          throw new TrainError(
            'INPUT_CONFIG',
            `${path}: --learning-rates chooses a rate by the validation loss, and there is none; ${remedy}`,
          );
        }
        runs[index]!.push({ setting, seed, name: folderName(setting.label, seed), config });
      }
    }
  }
  return { settings, seeds, runs: runs.flat() };
}

function checkKeys({ axes, learningRates, set = [] }: SweepPlanOptions): void {
  const keys = axes.map(({ key }) => key).concat(learningRates ? [learningRateKey] : []);
  const repeated = keys.find((key, index) => keys.indexOf(key) !== index);
  if (repeated !== undefined)
    throw new TrainError('INPUT_CONFIG', `'${repeated}' is swept twice; name it once`);
  for (const [key, option] of [
    ['training.seed', '--seeds or --seeds-list'],
    ['output', '--output'],
  ]) {
    if (keys.includes(key!)) throw new TrainError('INPUT_CONFIG', `'${key}' cannot be swept; use ${option}`);
    keys.push(key!);
  }
  for (const setting of set) {
    const key = setting.slice(0, setting.indexOf('=')).trim();
    if (!keys.includes(key)) continue;
    throw new TrainError(
      'INPUT_CONFIG',
      `--set ${setting}: has no effect, because the sweep sets '${key}' itself`,
    );
  }
}

function labelOf(file: string, values: readonly string[], configs: number): string {
  return [...(configs > 1 || values.length === 0 ? [file] : []), ...values].join(', ');
}

/** A name that every file system takes; a hash tells labels apart in which characters had to be replaced. */
function folderName(label: string, seed: number): string {
  const plain = label.replaceAll(', ', ',').replace(/[^\w.=,+-]/g, '_');
  const exact = plain === label.replaceAll(', ', ',') && plain.length <= 150;
  return `${exact ? plain : `${plain.slice(0, 130)}-${hashTextHex(label).slice(0, 8)}`},seed=${seed}`;
}
