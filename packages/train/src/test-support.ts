/** What this package's tests share. Not part of the library. */
import type { Row } from '@synglot/data';

/** A row of which nothing but text, language and parallel id matters. */
export const row = (text: string, lang = 'en', parallelId = text): Row => ({
  id: text,
  text,
  lang,
  parallelId,
  dataset: 'd',
  domain: 'd',
});
