/** Puts style, script and data into one HTML file that needs nothing else. Not the page: see `page/`. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ReportError } from './errors.js';
import type { ReportModel } from './model.js';

/** Same place from `src` and from `dist`. */
const built = join(import.meta.dirname, '../dist');

/**
 * The page of `model`. Data is inert text in the page: whatever it contains, it cannot end its element, and
 * the page's script puts it on screen as text only. The content security policy allows this one script and
 * no connection.
 *
 * @throws ReportError `PAGE_NOT_BUILT`
 */
export async function reportHtml(model: ReportModel): Promise<string> {
  const [script, style] = await Promise.all([asset('page.js'), asset('page.css')]);
  const hash = createHash('sha256').update(script).digest('base64');
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'`;
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="generator" content="synglot">',
    '<link rel="icon" href="data:,">',
    `<title>${escapeHtml(model.title)}</title>`,
    `<style>${style}</style>`,
    '</head>',
    '<body>',
    '<div id="page"></div>',
    '<noscript>The tables and charts of this page are drawn by the script within it: allow JavaScript.</noscript>',
    `<script type="application/json" id="report">${jsonForHtml(model)}</script>`,
    `<script>${script}</script>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

/** JSON in which no HTML parser can see the beginning or end of anything. */
export function jsonForHtml(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll('<', '\\u003c')
    .replaceAll('>', '\\u003e')
    .replaceAll('&', '\\u0026')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

async function asset(name: string): Promise<string> {
  const path = join(built, name);
  if (!existsSync(path)) {
    throw new ReportError('PAGE_NOT_BUILT', `${path} is missing; run npm run build -w @synglot/report`);
  }
  return readFile(path, 'utf8');
}
