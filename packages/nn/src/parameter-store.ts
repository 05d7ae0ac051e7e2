/** Parameters, gradients and optimiser state on a device: buffers by kind and part. */
import { type DeviceBuffer, type Executor, tensorSizeBytes } from '@synglot/gpu';
import { halfKind, ParameterLayout, type ParameterSpec } from './parameters.js';

/** Reads rows [begin, end) of a parameter as floats; one-dimensional parameters have rows of one. */
export type ReadRows = (name: string, begin: number, end: number) => Promise<Float32Array>;

/** Largest piece that is held in host memory at once while loading or saving. */
const chunkElements = 16 * 2 ** 20;

export class ParameterStore {
  readonly layout: ParameterLayout;
  readonly #executor: Executor;
  readonly #buffers = new Map<string, DeviceBuffer>();

  constructor(executor: Executor, specs: readonly ParameterSpec[]) {
    this.#executor = executor;
    this.layout = new ParameterLayout(specs, executor.device.limits.maxStorageBufferBindingSize);
  }

  /**
   * Allocates zero-filled buffers of a kind once: `parameter` for all, `half parameter` for weights of
   * products, `gradient`, `first moment` … for the trainable ones.
   */
  allocate(kind: string): void {
    const type = kind === halfKind ? 'f16' : 'f32';
    for (const part of this.layout.partsOf(kind)) {
      const key = `${kind} ${part.key}`;
      if (!this.#buffers.has(key))
        this.#buffers.set(key, this.#executor.createBuffer(key, tensorSizeBytes(part.shape, type)));
    }
  }

  /** All buffers under the names that plans use for them. */
  get externals(): ReadonlyMap<string, DeviceBuffer> {
    return this.#buffers;
  }

  /** Fills one kind of every parameter that has it. */
  async load(kind: string, readRows: ReadRows): Promise<void> {
    this.allocate(kind);
    for (const { name } of this.layout.specsOf(kind)) {
      await this.#pieces(kind, name, async (buffer, offsetBytes, begin, end, elements) => {
        const data = await readRows(name, begin, end);
        if (data.length !== elements) {
          throw new RangeError(
            `Expected ${elements} values for rows ${begin} to ${end} of '${name}' but received ${data.length}`,
          );
        }
        this.#executor.write(buffer, data, offsetBytes);
      });
    }
  }

  /** Rows [begin, end) of one parameter, in pieces of bounded size and ascending order. */
  async *readPieces(kind: string, name: string): AsyncGenerator<Float32Array> {
    const pieces: { buffer: DeviceBuffer; offsetBytes: number; elements: number }[] = [];
    await this.#pieces(kind, name, async (buffer, offsetBytes, _begin, _end, elements) => {
      pieces.push({ buffer, offsetBytes, elements });
    });
    for (const { buffer, offsetBytes, elements } of pieces) {
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

  destroy(): void {
    for (const buffer of this.#buffers.values()) buffer.destroy();
    this.#buffers.clear();
  }

  async #pieces(
    kind: string,
    name: string,
    visit: (
      buffer: DeviceBuffer,
      offsetBytes: number,
      begin: number,
      end: number,
      elements: number,
    ) => Promise<void>,
  ): Promise<void> {
    for (const part of this.layout.parts(name)) {
      const buffer = this.#buffers.get(`${kind} ${part.key}`);
      if (!buffer) throw new RangeError(`No '${kind}' buffer of '${part.key}' was allocated`);
      const rowElements = part.elements / (part.rowEnd - part.rowBegin);
      const rowsPerPiece = Math.max(1, Math.floor(chunkElements / rowElements));
      for (let begin = part.rowBegin; begin < part.rowEnd; begin += rowsPerPiece) {
        const end = Math.min(part.rowEnd, begin + rowsPerPiece);
        const offsetBytes = (begin - part.rowBegin) * rowElements * 4;
        await visit(buffer, offsetBytes, begin, end, (end - begin) * rowElements);
      }
    }
  }
}
