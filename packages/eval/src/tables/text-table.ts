/** Aligns cells as a plain text table. Pure text: no colours, no terminal, works in a page. */

/**
 * Lines of a table: a header, a rule and the rows; the first column left, the others right aligned.
 *
 * @param header - one cell per column; each row must have as many
 */
export function textTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const [names = [], ...lines] = [header, ...rows].map((cells) => cells.map(oneLine));
  const widths = names.map((cell, column) =>
    Math.max(displayWidth(cell), ...lines.map((row) => displayWidth(row[column]!))),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => {
        const space = ' '.repeat(widths[column]! - displayWidth(cell));
        return column === 0 ? cell + space : space + cell;
      })
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '-'.repeat(width));
  return [line(names), line(rule), ...lines.map(line)].join('\n');
}

/** Line breaks and tabs of names as spaces. */
export function oneLine(text: string): string {
  return text.replace(/[\t\n\v\f\r\u0085\u2028\u2029]+/g, ' ');
}

/** Columns of a terminal; good enough for names of runs and languages, except in wide scripts. */
function displayWidth(text: string): number {
  return Array.from(text).length;
}
