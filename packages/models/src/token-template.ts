/**
 * Which special tokens go around texts and how long texts may then be: learned from a library once and applied here, so
 * that truncation is the same whichever library reads the file.
 */
import { ModelError } from './errors.js';
import type { TokenizerLibrary } from './tokenizer-library/library.js';

/** The ids of one text, special tokens included. */
export interface EncodedText {
  readonly ids: Uint32Array;
  /** 0 for the text, 1 for the context where the model tells them apart; all 0 for single texts. */
  readonly typeIds: Uint8Array;
}

/** Which side of a pair gives way: the longer one token by token, or only the context. */
export type PairTruncation = 'longest_first' | 'only_second';

/** Special tokens put around a text, or around and between two. */
export interface Template {
  readonly ids: readonly (readonly number[])[];
  readonly typeIds: readonly (readonly number[])[];
  /** Type id of each text's own tokens. */
  readonly textTypes: readonly number[];
  readonly specials: number;
}

/** Texts that any vocabulary turns into at least one token, unknown or not. */
const PROBES = ['a', '1', '.', 'の'];

/** Learns the special tokens of one or two texts by encoding a probe. */
export async function probeTemplate(
  library: TokenizerLibrary,
  texts: 1 | 2,
  source: string,
): Promise<Template> {
  for (const probe of PROBES) {
    const { ids, typeIds, sequences } = await library.encodeWithSpecials(
      probe,
      texts === 2 ? probe : undefined,
    );
    const template = {
      ids: Array.from({ length: texts + 1 }, (): number[] => []),
      typeIds: Array.from({ length: texts + 1 }, (): number[] => []),
      textTypes: [] as number[],
      specials: 0,
    };
    ids.forEach((id, i) => {
      const sequence = sequences[i];
      if (typeof sequence === 'number') {
        template.textTypes[sequence] = typeIds[i]!;
        return;
      }
      const gap = template.textTypes.length;
      template.ids[gap]!.push(id);
      template.typeIds[gap]!.push(typeIds[i]!);
      template.specials++;
    });
    if (template.textTypes.length === texts) return template;
  }
  throw new ModelError(
    'INPUT_TOKENIZER',
    `${source}: turns plain letters into no tokens; its vocabulary is empty or damaged: get the file again`,
  );
}

/** Token counts of a text and its context that together fit `room`; as the Rust library cuts them. */
export function shareRoom(
  first: number,
  second: number,
  room: number,
  truncation: PairTruncation,
): [number, number] {
  if (first + second <= room) return [first, second];
  if (truncation === 'only_second') {
    // A text that alone is too long gives way as well: better than nothing at all.
    const kept = Math.min(first, room);
    return [kept, room - kept];
  }
  const shorter = Math.min(first, second);
  // The longer one alone gives way until both are equally long.
  const longer = Math.max(shorter, room - shorter);
  let small = shorter;
  let large = longer;
  if (small + large > room) {
    small = Math.floor(room / 2);
    large = room - small;
  }
  return first > second ? [large, small] : [small, large];
}

/**
 * The ids of one text, or of a text and its context, with special tokens around them.
 *
 * @param lengths tokens kept of each
 */
export function assemble(
  template: Template,
  texts: readonly (readonly number[])[],
  lengths: readonly number[],
): EncodedText {
  const size = lengths.reduce((sum, n) => sum + n, template.specials);
  const ids = new Uint32Array(size);
  const typeIds = new Uint8Array(size);
  let at = 0;
  for (let gap = 0; gap <= texts.length; gap++) {
    ids.set(template.ids[gap]!, at);
    typeIds.set(template.typeIds[gap]!, at);
    at += template.ids[gap]!.length;
    const text = texts[gap];
    if (text === undefined) break;
    for (let i = 0; i < lengths[gap]!; i++) ids[at + i] = text[i]!;
    typeIds.fill(template.textTypes[gap]!, at, at + lengths[gap]!);
    at += lengths[gap]!;
  }
  return { ids, typeIds };
}
