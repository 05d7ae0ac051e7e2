/** Checks the patterns of parameter names in a configuration: one that names nothing is a mistake. */
import { didYouMean } from '@synglot/data';
import { unmatchedPatterns } from '@synglot/nn';
import { mistakeAt } from './config/places.js';

/**
 * Checks that each pattern of an entry names a parameter.
 *
 * @param key of the entry's patterns in the configuration, for the message
 * @throws TrainError `INPUT_CONFIG`
 */
export function checkPatterns(
  key: string,
  entry: { readonly parameters: readonly string[] },
  names: readonly string[],
): void {
  const [unmatched] = unmatchedPatterns(entry.parameters, names);
  if (unmatched === undefined) return;
  throw mistakeAt(
    entry,
    'parameters',
    `${key}: '${unmatched}' names no parameter of the model${didYouMean(unmatched, suggestions(names))}; names look like ${examples(names)}`,
  );
}

/** Names, and what users write for a part of the model. */
function suggestions(names: readonly string[]): string[] {
  const prefixes = names.flatMap((name) => {
    const parts = name.split('.');
    return parts.slice(1).map((_, index) => `${parts.slice(0, index + 1).join('.')}.*`);
  });
  return [...new Set([...prefixes, ...names])];
}

function examples(names: readonly string[]): string {
  return [names[0], names.find((name) => name.startsWith('encoder.layer.')), names.at(-1)].join(', ');
}
