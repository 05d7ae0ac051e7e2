/** Tables for other programs: CSV for spreadsheets and data frames, LaTeX for papers. Plain text is in `text-table.ts`. */

import { oneLine } from './text-table.js';

/** A cell of {@link csvTable}; what does not exist is an empty field. */
export type CsvCell = string | number | null | undefined;

/**
 * Lines of a CSV file (RFC 4180, but with line feeds): a header and the rows, without an end of line. Numbers have all
 * the digits that make them the same number again.
 */
export function csvTable(header: readonly string[], rows: readonly (readonly CsvCell[])[]): string {
  const field = (cell: CsvCell) => {
    const text = cell === null || cell === undefined ? '' : String(cell);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [header, ...rows].map((cells) => cells.map(field).join(',')).join('\n');
}

/**
 * A LaTeX tabular with the rules of the package booktabs; the first column left, the others right aligned. Cells are
 * plain text, and what means something to LaTeX is written so that it prints as itself.
 *
 * @param note - a comment in front of it: how the figures were made
 */
export function latexTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  note?: string,
): string {
  const line = (cells: readonly string[]) => `${afterBreak(cells.map(latexText).join(' & '))} \\\\`;
  return [
    ...(note === undefined ? [] : note.split(/[\n\r]+/).map((text) => `% ${text}`)),
    `\\begin{tabular}{l${'r'.repeat(header.length - 1)}}`,
    '\\toprule',
    line(header),
    '\\midrule',
    ...rows.map(line),
    '\\bottomrule',
    '\\end{tabular}',
  ].join('\n');
}

const latex: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '<': '$<$',
  '>': '$>$',
  '|': '\\textbar{}',
  '±': '$\\pm$',
  '−': '$-$',
  '…': '\\dots{}',
  '†': '\\textsuperscript{\\dag}',
  α: '$\\alpha$',
  λ: '$\\lambda$',
};

/** What \\ in the line before would take for its own: a star, or a length in brackets. */
function afterBreak(line: string): string {
  return /^[*[]/.test(line) ? `{}${line}` : line;
}

function latexText(text: string): string {
  return oneLine(text).replace(/[\\~^<>|±−…†αλ]|[&%$#_{}]/g, (letter) => latex[letter] ?? `\\${letter}`);
}
