/**
 * Patterns over parameter names, as configurations write them: `encoder.layer.0.*`, `*.bias`,
 * `encoder.layer.{0,1}.*`. Not for adapters' targets, which name modules.
 */

/**
 * Whether a whole parameter name matches a pattern.
 *
 * @param pattern `*` stands for any characters, dots included, `?` for one, `[0-3]` for one of a set,
 * `{a,b}` for either; everything else stands for itself
 */
export function matchesPattern(pattern: string, name: string): boolean {
  return expression(pattern).test(name);
}

/** Patterns, in order, that match none of the names. */
export function unmatchedPatterns(patterns: readonly string[], names: readonly string[]): string[] {
  return patterns.filter((pattern) => !names.some((name) => matchesPattern(pattern, name)));
}

const tokens = /\*+|\?|\[[^\]]+\]|\{[^{}]*\}|[^*?[{]+|[[{]/g;

function expression(pattern: string): RegExp {
  const source = [...pattern.matchAll(tokens)].map(([token]) => {
    if (token.startsWith('*')) return '.*';
    if (token === '?') return '.';
    if (token.startsWith('[') && token.length > 1) {
      return `[${token.slice(1, -1).replace(/[\\^\]]/g, '\\$&')}]`;
    }
    if (token.startsWith('{') && token.length > 1) {
      return `(?:${token.slice(1, -1).split(',').map(literal).join('|')})`;
    }
    return literal(token);
  });
  return new RegExp(`^${source.join('')}$`);
}

/** The source of an expression that matches `text` itself. */
export function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
