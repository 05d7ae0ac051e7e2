/** Token embeddings: word + position + type rows, summed; their gradients from host-sorted ids. */
import type { Tensor } from '@synglot/gpu';
import { type Axis, countSlots } from '../axis.js';
import { type Activation, type Graph, storedType, stridedWorkgroups } from '../graph.js';
import { blockCount, columnSumInto, rowsPerBlock } from './reductions.js';
import { tableGradientKernel } from './row-kernels.js';

/** Feeds that describe the tokens of a step. */
export interface TokenFeeds {
  /** [tokens] of (id, position, type, slot). */
  readonly tokens: Tensor;
  /** Distinct word ids [distinct], offsets [distinct + 1] and token order [tokens], sorted by id. */
  readonly words: SortedRows;
  /** The same by position. */
  readonly positions: SortedRows;
}

/** Feeds with the distinct rows of a table that a batch uses, and which tokens use each: see `sortRows`. */
export interface SortedRows {
  readonly axis: Axis;
  readonly rows: Tensor;
  readonly offsets: Tensor;
  readonly order: Tensor;
}

const word = 'embeddings.word_embeddings.weight';
const position = 'embeddings.position_embeddings.weight';
const type = 'embeddings.token_type_embeddings.weight';

/** What an embedding layer returns: two summands, which the layer norm that follows adds up. */
export interface TokenEmbeddings {
  readonly words: Activation;
  readonly positionsAndTypes: Activation;
  /** Accumulates the tables' gradients; both summands have the same gradient. */
  backward(dSum: Activation): void;
}

/** Gathers the word rows (part by part where the table is split) and position plus type rows. */
export function tokenEmbeddings(g: Graph, feeds: TokenFeeds, axis: Axis): TokenEmbeddings {
  const columns = g.shape(word)[1] as number;
  const size = { tokens: axis.capacity, tokens_count: countSlots[axis.slot], columns };
  const workgroups = stridedWorkgroups(g.device, axis, columns);
  const words = g.activation('word embeddings', axis, columns, !g.trains(word));
  for (const { part, tensor } of g.parts('parameter', word)) {
    g.plan.dispatch('embedding_gather_forward', {
      label: `gather ${part.key}`,
      constants: { Element: storedType(words.tensor) },
      bindings: { table: tensor, tokens: feeds.tokens, y: words.tensor },
      params: { ...size, row_begin: part.rowBegin, row_end: part.rowEnd },
      workgroups,
    });
  }
  const frozen = !g.trains(position) && !g.trains(type);
  const positionsAndTypes = g.activation('position and type embeddings', axis, columns, frozen);
  g.plan.dispatch('embedding_position_type_forward', {
    label: 'position and type embeddings',
    constants: { Element: storedType(positionsAndTypes.tensor) },
    bindings: {
      positions: g.parameter(position),
      types: g.parameter(type),
      tokens: feeds.tokens,
      y: positionsAndTypes.tensor,
    },
    params: size,
    workgroups,
  });
  return {
    words,
    positionsAndTypes,
    backward(dSum) {
      if (g.trains(word)) rowGradients(g, dSum, word, feeds.words);
      if (g.trains(position)) rowGradients(g, dSum, position, feeds.positions);
      if (g.trains(type)) typeGradients(g, dSum, feeds.tokens);
    },
  };
}

function rowGradients(g: Graph, dSum: Activation, name: string, sorted: SortedRows): void {
  const size = { distinct: sorted.axis, columns: dSum.columns };
  const { kernel, constants, workgroups } = tableGradientKernel(g.device, size);
  for (const { part, tensor } of g.parts('gradient', name)) {
    g.plan.dispatch(kernel, {
      label: `d ${part.key}`,
      constants: { ...constants, Element: storedType(dSum.tensor) },
      bindings: {
        d_y: dSum.tensor,
        rows: sorted.rows,
        offsets: sorted.offsets,
        order: sorted.order,
        gradient: tensor,
      },
      params: {
        distinct: sorted.axis.capacity,
        distinct_count: countSlots[sorted.axis.slot],
        columns: dSum.columns,
        row_begin: part.rowBegin,
        row_end: part.rowEnd,
      },
      workgroups,
    });
  }
}

function typeGradients(g: Graph, dSum: Activation, tokens: Tensor): void {
  const { axis, columns } = dSum;
  const blocks = blockCount(axis);
  for (let tokenType = 0; tokenType < (g.shape(type)[0] as number); tokenType++) {
    const partial = g.plan.transient(`d ${type} partial`, [blocks, columns]);
    g.plan.dispatch('embedding_backward_type_partial', {
      label: `d ${type} ${tokenType} partial`,
      constants: { ROWS_PER_BLOCK: rowsPerBlock, Element: storedType(dSum.tensor) },
      bindings: { d_y: dSum.tensor, tokens, partial },
      params: { tokens: axis.capacity, tokens_count: countSlots[axis.slot], columns, token_type: tokenType },
      workgroups: [Math.ceil(columns / 4 / 32), blocks],
    });
    columnSumInto(g, partial, axis, columns, g.gradient(type), `d ${type} ${tokenType}`, tokenType);
  }
}
