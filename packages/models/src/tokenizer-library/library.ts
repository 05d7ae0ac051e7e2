/**
 * The interface of a library that reads `tokenizer.json`; Node and pages have one each. `imports` in package.json
 * decides which one is behind `#tokenizer-library`.
 */

/** Tokens of a text, or of a text and its context, with the special tokens around them. */
export interface SpecialEncoding {
  readonly ids: readonly number[];
  readonly typeIds: readonly number[];
  /** 0 for a token of the text, 1 for one of the context, null for a special one. */
  readonly sequences: readonly (number | null)[];
}

export interface TokenizerLibrary {
  /** Highest id plus one. */
  readonly vocabularySize: number;
  tokenToId(token: string): number | undefined;
  idToToken(id: number): string | undefined;
  /** Ids of each text, without special tokens, padding or truncation. */
  encode(texts: readonly string[]): Promise<number[][]>;
  /** Ids with special tokens. */
  encodeWithSpecials(text: string, context?: string): Promise<SpecialEncoding>;
  /** Text of ids, without special tokens. */
  decode(ids: readonly number[]): Promise<string>;
  /** What is cut into tokens one by one: a text normalised and split. */
  split(text: string): string[];
}
