/** Aligns cells as a plain text table. Pure text: no colours, no terminal, works in a page. */

/**
 * Lines of a table: a header, a rule and the rows; the first column left, the others right aligned.
 *
 * @param header - one cell per column; each row must have as many
 */
export function textTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((cell, column) =>
    Math.max(displayWidth(cell), ...rows.map((row) => displayWidth(row[column]!))),
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
  return [line(header), line(rule), ...rows.map(line)].join('\n');
}

/** Columns of a terminal; good enough for names of runs and languages, except in wide scripts. */
function displayWidth(text: string): number {
  return Array.from(text).length;
}
