import { expect, test } from 'vitest';
import { onnxModel, varint } from './onnx-model.js';

test('integers are written in groups of seven bits, lowest first', () => {
  expect([...varint(0)]).toEqual([0]);
  expect([...varint(127)]).toEqual([127]);
  expect([...varint(300)]).toEqual([0xac, 0x02]);
});

test('a model of one node is what the format says, byte by byte', () => {
  const model = onnxModel({
    nodes: [{ type: 'Add', inputs: ['x', 'b'], outputs: ['y'] }],
    initializers: [{ name: 'b', shape: [1], data: Float32Array.of(1) }],
    input: { name: 'x', shape: [2] },
    output: { name: 'y', shape: [2] },
  });
  const ascii = (text: string) => [...text].map((character) => character.charCodeAt(0));
  const node = [10, 1, ...ascii('x'), 10, 1, ...ascii('b'), 18, 1, ...ascii('y'), 34, 3, ...ascii('Add')];
  const tensor = [8, 1, 16, 1, 66, 1, ...ascii('b'), 74, 4, 0, 0, 0x80, 0x3f];
  const name = ascii('encoder layer');
  const dimension = [10, 2, 8, 2];
  const tensorType = [8, 1, 18, dimension.length, ...dimension];
  const type = [10, tensorType.length, ...tensorType];
  const value = (of: string) => [10, 1, ...ascii(of), 18, type.length, ...type];
  const graph = [
    ...[10, node.length, ...node],
    ...[18, name.length, ...name],
    ...[42, tensor.length, ...tensor],
    ...[90, value('x').length, ...value('x')],
    ...[98, value('y').length, ...value('y')],
  ];
  expect([...model]).toEqual([8, 10, 58, graph.length, ...graph, 66, 4, 10, 0, 16, 20]);
});
