/** Pieces by their characters, for finding every piece that begins at a place. */
export class Trie {
  /** A hash table of edges, by the node that they leave and their character; a target of 0 is a free place. */
  readonly #from: Int32Array;
  readonly #character: Int32Array;
  readonly #to: Int32Array;
  readonly #pieceAt: Int32Array;

  /** Of pieces that stand there twice, the last is found. */
  constructor(pieces: readonly string[]) {
    const most = pieces.reduce((sum, piece) => sum + piece.length, 1);
    const places = 2 ** Math.ceil(Math.log2(1.5 * most));
    this.#from = new Int32Array(places);
    this.#character = new Int32Array(places);
    this.#to = new Int32Array(places);
    this.#pieceAt = new Int32Array(most).fill(-1);
    let nodes = 1;
    pieces.forEach((piece, id) => {
      let node = 0;
      for (const text of piece) {
        const character = text.codePointAt(0)!;
        const place = this.#placeOf(node, character);
        if (this.#to[place] === 0) {
          this.#from[place] = node;
          this.#character[place] = character;
          this.#to[place] = nodes++;
        }
        node = this.#to[place]!;
      }
      this.#pieceAt[node] = id;
    });
  }

  /** Calls `found` with the end and the id of every piece that begins at `begin`. */
  match(characters: readonly string[], begin: number, found: (end: number, piece: number) => void): void {
    let node = 0;
    for (let end = begin; end < characters.length; end++) {
      node = this.#to[this.#placeOf(node, characters[end]!.codePointAt(0)!)]!;
      if (node === 0) return;
      if (this.#pieceAt[node]! >= 0) found(end + 1, this.#pieceAt[node]!);
    }
  }

  /** Where an edge is, or would be. */
  #placeOf(node: number, character: number): number {
    const last = this.#to.length - 1;
    const hash = Math.imul(node, 0x9e3779b1) ^ Math.imul(character, 0x85ebca6b);
    let place = (hash ^ (hash >>> 15)) & last;
    while (this.#to[place] !== 0 && !(this.#from[place] === node && this.#character[place] === character)) {
      place = (place + 1) & last;
    }
    return place;
  }
}
