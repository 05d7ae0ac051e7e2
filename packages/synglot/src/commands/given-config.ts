/** The configuration of a command that takes `--data` too: a file's, a file's with other data, or none but the data. */
import { DataError } from '@synglot/data';
import { parseConfig, readConfig, type TrainConfig } from '@synglot/train';

/** What the command line says instead of a configuration. */
export interface GivenConfig {
  readonly model?: string;
  readonly data?: string;
  readonly format?: string;
  /** Of data whose rows name none. */
  readonly lang?: string;
  readonly set?: readonly string[];
}

/** `--format` of commands that take `--data`. */
export const formatOption = ['--format <name>', 'format of --data; default: pairs-jsonl'] as const;

/** The format of data that are given. @throws DataError `INPUT_OPTION` for one of data that are not */
export function formatOf({ data, format }: Pick<GivenConfig, 'data' | 'format'>): string {
  if (data === undefined && format !== undefined) throw idle('--format');
  return format ?? 'pairs-jsonl';
}

/** A mistake: an option that says what another one names, without that one. */
export function idle(option: string, of = '--data'): DataError {
  return new DataError('INPUT_OPTION', `${option} is of ${of}, which is not given; leave it out`);
}

/**
 * Reads the configuration at `path`, if there is one, with the data that are given in place of its own.
 *
 * @throws DataError as {@link formatOf}; TrainError `INPUT_CONFIG`; what is wrong with given data is told of `--data`
 */
export async function readGivenConfig(path: string | undefined, given: GivenConfig): Promise<TrainConfig> {
  const { model, data, lang, set = [] } = given;
  const format = formatOf(given);
  const source = data === undefined ? undefined : [{ format, path: data, ...(lang ? { lang } : {}) }];
  const alone = (settings: readonly string[]) =>
    parseConfig(
      JSON.stringify({ model: model ?? 'none', data: source, training: { steps: 1 } }),
      '--data',
      settings,
    );
  if (path === undefined) return alone(set);
  const config = await readConfig(path, set);
  return {
    ...config,
    ...(model === undefined ? {} : { model }),
    // What is set of the data is meant of those that are read.
    ...(source ? { data: alone(set.filter((each) => /^\s*data\b/.test(each))).data } : {}),
  };
}

/** The configuration without what takes pairs from its data or adds to them, so that another file is read as a whole. */
export function withWholeData(config: TrainConfig): TrainConfig {
  const {
    hold_out: _heldOut,
    validation: _validation,
    mining: _mining,
    margin_mse: _margins,
    ...rest
  } = config;
  return rest;
}
