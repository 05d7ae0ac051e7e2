/** Parameters, gradients and optimiser state on a device: one buffer per kind and slab. */
import { bytesPerElement, type DeviceBuffer, type Executor } from '@synglot/gpu';
import { elementTypeOf, ParameterLayout, type ParameterSpec, slabName } from './parameters.js';

/** Reads rows [begin, end) of a parameter as floats; one-dimensional parameters have rows of one. */
export type ReadRows = (name: string, begin: number, end: number) => Promise<Float32Array>;

/** Largest piece that is held in host memory at a time while loading or saving. */
const pieceElements = 16 * 2 ** 20;

/** Rows [begin, end) of a parameter, and where they lie on the device. */
interface Piece {
  readonly buffer: DeviceBuffer;
  readonly offsetBytes: number;
  readonly begin: number;
  readonly end: number;
  readonly elements: number;
}

/** The parameters of a model on a device, with their gradients and optimiser state where these were allocated. */
export class ParameterStore {
  readonly layout: ParameterLayout;
  readonly #executor: Executor;
  readonly #buffers = new Map<string, DeviceBuffer>();

  /** @param given parameters, or a layout of them made for limits no higher than the device's */
  constructor(executor: Executor, given: readonly ParameterSpec[] | ParameterLayout) {
    this.#executor = executor;
    const { maxStorageBufferBindingSize, maxBufferSize } = executor.device.limits;
    this.layout =
      given instanceof ParameterLayout
        ? given
        : new ParameterLayout(given, Math.min(maxStorageBufferBindingSize, maxBufferSize));
  }

  /**
   * Allocates the zero-filled buffers of a kind, once: `parameter` for all parameters, `half parameter` for
   * the weights of products, `gradient`, `first moment` … for trainable parameters.
   */
  allocate(kind: string): void {
    const elementBytes = bytesPerElement[elementTypeOf(kind)];
    for (const { index, elements } of this.layout.slabsOf(kind)) {
      const name = slabName(kind, index);
      if (!this.#buffers.has(name))
        this.#buffers.set(name, this.#executor.createBuffer(name, elements * elementBytes));
    }
  }

  /** All buffers, by the names that plans use for them; parameters are views of these. */
  get externals(): ReadonlyMap<string, DeviceBuffer> {
    return this.#buffers;
  }

  /** Fills one kind of every parameter that has it. */
  async load(kind: string, readRows: ReadRows): Promise<void> {
    this.allocate(kind);
    for (const { name } of this.layout.specsOf(kind)) await this.loadOne(kind, name, readRows);
  }

  /** Fills one kind of one parameter; its buffers must have been allocated. */
  async loadOne(kind: string, name: string, readRows: ReadRows): Promise<void> {
    for (const { buffer, offsetBytes, begin, end, elements } of this.#pieces(kind, name)) {
      const data = await readRows(name, begin, end);
      if (data.length !== elements) {
        throw new RangeError(
          `Expected ${elements} values for rows ${begin} to ${end} of '${name}' but received ${data.length}`,
        );
      }
      this.#executor.write(buffer, data, offsetBytes);
    }
  }

  /** The rows of one parameter, gradient or moment in pieces of bounded size, in ascending order. */
  async *readPieces(kind: string, name: string): AsyncGenerator<Float32Array> {
    for (const { buffer, offsetBytes, elements } of this.#pieces(kind, name)) {
      yield new Float32Array(await this.#executor.read(buffer, offsetBytes, elements * 4));
    }
  }

  /** A whole parameter, gradient or moment as one array. */
  async read(kind: string, name: string): Promise<Float32Array> {
    const size = this.layout.shape(name).reduce((product, axis) => product * axis, 1);
    const whole = new Float32Array(size);
    let offset = 0;
    for await (const piece of this.readPieces(kind, name)) {
      whole.set(piece, offset);
      offset += piece.length;
    }
    return whole;
  }

  /** Frees all buffers. */
  destroy(): void {
    for (const buffer of this.#buffers.values()) buffer.destroy();
    this.#buffers.clear();
  }

  *#pieces(kind: string, name: string): Generator<Piece> {
    for (const part of this.layout.parts(name)) {
      const buffer = this.#buffers.get(slabName(kind, part.slab));
      if (!buffer) throw new RangeError(`No '${kind}' buffer of '${part.key}' was allocated`);
      const rowElements = part.elements / (part.rowEnd - part.rowBegin);
      const rowsPerPiece = Math.max(1, Math.floor(pieceElements / rowElements));
      for (let begin = part.rowBegin; begin < part.rowEnd; begin += rowsPerPiece) {
        const end = Math.min(part.rowEnd, begin + rowsPerPiece);
        const offsetBytes = (part.offsetElements + (begin - part.rowBegin) * rowElements) * 4;
        yield { buffer, offsetBytes, begin, end, elements: (end - begin) * rowElements };
      }
    }
  }
}
