/** The command lines of benchmarks: a mistake is one line and exit status 2, and never a measurement of something else. */

export class ArgumentError extends Error {
  readonly code = 'INPUT_ARGUMENT';
}

type Values = Readonly<Record<string, string | boolean | undefined>>;

/** Makes a caller's mistake end this process with one line and status 2, a missing device with 1; faults keep their stack. */
export function tellMistakes(): void {
  process.on('uncaughtException', (error: Error & { code?: string }) => {
    const mistake = /^(INPUT_|ERR_PARSE_ARGS_)/.test(error.code ?? '');
    const told = mistake || error.code === 'DEVICE_UNAVAILABLE';
    console.error(told ? error.message.replaceAll('\n', ' ') : error);
    process.exit(mistake ? 2 : 1);
  });
}

/** @throws ArgumentError unless each named option, where it is given, is a whole number of at least `least` */
export function checkNumbers(values: Values, names: readonly string[], least = 1): void {
  for (const name of names) {
    const value = values[name];
    if (value === undefined || (/^\d+$/.test(String(value)) && Number(value) >= least)) continue;
    throw new ArgumentError(
      `--${name}: expected a whole number of at least ${least} but received '${value}'`,
    );
  }
}

/** @throws ArgumentError unless the option, where it is given, is one of `choices` */
export function checkChoice(values: Values, name: string, choices: readonly string[]): void {
  const value = values[name];
  if (value === undefined || choices.includes(String(value))) return;
  throw new ArgumentError(`--${name}: expected ${choices.join(', ')} but received '${value}'`);
}

/** @throws ArgumentError unless `--lengths` is a number of tokens or `xquad-r` */
export function checkLengths({ lengths }: Values): void {
  if (lengths === undefined || lengths === 'xquad-r' || /^[1-9]\d*$/.test(String(lengths))) return;
  throw new ArgumentError(`--lengths: expected a number of tokens, or xquad-r, but received '${lengths}'`);
}
