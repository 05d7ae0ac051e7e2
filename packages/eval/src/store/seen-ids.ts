/** Ids that were seen before: as a `Set`, but more of them than one may hold. */
export class SeenIds {
  readonly #sets = [new Set<string>()];
  readonly #most: number;

  /** @param most of one `Set`; engines allow 2^24, and corpora have more passages */
  constructor(most = 2 ** 24) {
    this.#most = most;
  }

  /** Takes an id; whether it is a new one. */
  add(id: string): boolean {
    if (this.#sets.some((set) => set.has(id))) return false;
    if (this.#sets.at(-1)!.size === this.#most) this.#sets.push(new Set());
    this.#sets.at(-1)!.add(id);
    return true;
  }
}
