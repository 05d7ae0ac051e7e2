#!/usr/bin/env node
// The command. Everything is in dist/, made by `npm run build`.
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (!existsSync(main)) {
  console.error('synglot is not built yet: run `npm run build` in the repository first.');
  process.exit(1);
}
const { run } = await import(main.href);
await run(process.argv);
