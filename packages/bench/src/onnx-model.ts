/**
 * Writes one encoder layer as an ONNX model, for onnxruntime. Only what that graph needs of the
 * format (onnx.proto3, IR version 10, operator set 20); it reads nothing.
 */

/** An operator with the names of its inputs and outputs. */
export interface OnnxNode {
  readonly type: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
}

export type OnnxAttribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly ints: readonly number[] };

export interface OnnxTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly input: { readonly name: string; readonly shape: readonly number[] };
  readonly output: { readonly name: string; readonly shape: readonly number[] };
}

const elementTypes = { float32: 1, int64: 7 } as const;
const attributeTypes = { float: 1, int: 2, ints: 7 } as const;

/** A model of one graph, ready for `InferenceSession.create`. */
export function onnxModel(graph: OnnxGraph): Uint8Array {
  const body = message(
    ...graph.nodes.map((node) => bytes(1, nodeMessage(node))),
    text(2, 'encoder layer'),
    ...graph.initializers.map((tensor) => bytes(5, tensorMessage(tensor))),
    bytes(11, valueMessage(graph.input)),
    bytes(12, valueMessage(graph.output)),
  );
  return message(varintField(1, 10), bytes(7, body), bytes(8, message(text(1, ''), varintField(2, 20))));
}

function nodeMessage({ type, inputs, outputs, attributes = {} }: OnnxNode): Uint8Array {
  return message(
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(4, type),
    ...Object.entries(attributes).map(([name, value]) => bytes(5, attributeMessage(name, value))),
  );
}

function attributeMessage(name: string, value: OnnxAttribute): Uint8Array {
  if ('int' in value)
    return message(text(1, name), varintField(3, value.int), varintField(20, attributeTypes.int));
  if ('float' in value) {
    const float = new Uint8Array(Float32Array.of(value.float).buffer);
    return message(text(1, name), tag(2, 5), float, varintField(20, attributeTypes.float));
  }
  return message(
    text(1, name),
    ...value.ints.map((int) => varintField(8, int)),
    varintField(20, attributeTypes.ints),
  );
}

function tensorMessage({ name, shape, data }: OnnxTensor): Uint8Array {
  const type = data instanceof Float32Array ? elementTypes.float32 : elementTypes.int64;
  return message(
    ...shape.map((size) => varintField(1, size)),
    varintField(2, type),
    text(8, name),
    bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  );
}

function valueMessage({
  name,
  shape,
}: {
  readonly name: string;
  readonly shape: readonly number[];
}): Uint8Array {
  const dimensions = message(...shape.map((size) => bytes(1, varintField(1, size))));
  const tensorType = message(varintField(1, elementTypes.float32), bytes(2, dimensions));
  return message(text(1, name), bytes(2, bytes(1, tensorType)));
}

/** Protobuf's variable-length integer; `value` is at least 0 and exact. */
export function varint(value: number): Uint8Array {
  const groups: number[] = [];
  let rest = value;
  do {
    const group = rest % 128;
    rest = Math.floor(rest / 128);
    groups.push(rest > 0 ? group + 128 : group);
  } while (rest > 0);
  return Uint8Array.from(groups);
}

const tag = (field: number, wireType: number) => varint(field * 8 + wireType);
const varintField = (field: number, value: number) => message(tag(field, 0), varint(value));
const bytes = (field: number, content: Uint8Array) => message(tag(field, 2), varint(content.length), content);
const text = (field: number, value: string) => bytes(field, new TextEncoder().encode(value));

function message(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
