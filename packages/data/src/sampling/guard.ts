/**
 * Keeps false negatives out of a batch: decides whether one more pair, or one more hard negative, may join.
 * Not the loss's mask, which also covers batches made elsewhere; see `groups.ts`.
 */
import type { Item, TrainingSet } from '../training-set.js';

/** What a batch holds so far. One guard serves one batch. */
export class BatchGuard {
  readonly #set: TrainingSet;
  readonly #queries = new Set<number>();
  readonly #queryTexts = new Set<number>();
  readonly #passages = new Set<number>();
  readonly #passageTexts = new Set<number>();
  /** All known answers to the batch's questions, whether in the batch or not. */
  readonly #answers = new Set<number>();

  constructor(set: TrainingSet) {
    this.#set = set;
  }

  /**
   * Whether the pair may join: its question and its passage are not there yet, in any language nor as the
   * same text under another parallel id; its passage answers no other question of the batch, and no passage
   * of the batch answers its question.
   */
  fits(item: Item, queryRow: number, passageRow: number): boolean {
    return (
      !this.#queries.has(item.query) &&
      !this.#passages.has(item.passage) &&
      !this.#answers.has(item.passage) &&
      !this.#queryTexts.has(this.#set.rowText[queryRow]!) &&
      !this.#passageTexts.has(this.#set.rowText[passageRow]!) &&
      !this.#set.answersOf(item).some((passage) => this.#passages.has(passage))
    );
  }

  add(item: Item, queryRow: number, passageRow: number): void {
    this.#queries.add(item.query);
    this.#queryTexts.add(this.#set.rowText[queryRow]!);
    this.#passages.add(item.passage);
    this.#passageTexts.add(this.#set.rowText[passageRow]!);
    for (const passage of this.#set.answersOf(item)) this.#answers.add(passage);
  }

  /**
   * Adds a hard negative and says so, unless it answers a question of the batch, or is there already, in any
   * language or as the same text. Ask only when all pairs are in.
   */
  addNegative(passage: number, row: number): boolean {
    const text = this.#set.rowText[row]!;
    if (this.#answers.has(passage) || this.#passages.has(passage) || this.#passageTexts.has(text))
      return false;
    this.#passages.add(passage);
    this.#passageTexts.add(text);
    return true;
  }
}
