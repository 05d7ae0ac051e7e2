/** Views of one external buffer: bound, copied, cleared and read at their offsets, on both executors. */
import { PlanBuilder, viewAlignmentBytes } from '@synglot/gpu';
import { expect, test } from 'vitest';
import { describeExecutors } from '../support/each-executor.js';

const rowElements = viewAlignmentBytes / 4;
const rows = 5;

/** Row r of the buffer holds r · 100 + column. */
const numbered = Float32Array.from(
  { length: rows * rowElements },
  (_, index) => Math.floor(index / rowElements) * 100 + (index % rowElements),
);

describeExecutors((opened) => {
  test('every command finds the view and leaves its neighbours alone', async () => {
    const executor = opened();
    const builder = new PlanBuilder('views');
    const view = (buffer: string, row: number, count = 1) =>
      builder.external(`${buffer} row ${row}`, [count * rowElements], 'f32', {
        name: buffer,
        offsetBytes: row * viewAlignmentBytes,
      });
    const add = (x: ReturnType<typeof view>, y: ReturnType<typeof view>) =>
      builder.dispatch('add', {
        label: `${x.name} into ${y.name}`,
        bindings: { x, y },
        params: { rows: 1, rows_count: 0, columns: rowElements },
        workgroups: [1],
      });
    const [x1, y2, y3] = [view('x', 1), view('y', 2), view('y', 3)];
    add(x1, y2);
    // The same kernel with another view of the same buffers.
    add(view('x', 4), y3);
    builder.clear(view('y', 1));
    builder.copy(view('x', 3), view('y', 4));
    builder.copy(y2, builder.result('copied', [rowElements]));
    const plan = builder.build();

    const buffers = new Map(
      ['x', 'y'].map((name) => {
        const buffer = executor.createBuffer(name, numbered.byteLength);
        executor.write(buffer, numbered);
        return [name, buffer] as const;
      }),
    );
    const compiled = await executor.compile(plan, buffers);
    const { reads } = await compiled.run({ reads: ['copied', 'y row 3'] });
    const y = new Float32Array(await executor.read(buffers.get('y')!));

    const row = (index: number, from = numbered) =>
      from.subarray(index * rowElements, (index + 1) * rowElements);
    const sum = (a: number, b: number) => row(a).map((value, index) => value + row(b)[index]!);
    expect(row(0, y)).toEqual(row(0));
    expect(row(1, y)).toEqual(new Float32Array(rowElements));
    expect(row(2, y)).toEqual(sum(1, 2));
    expect(row(3, y)).toEqual(sum(4, 3));
    expect(row(4, y)).toEqual(row(3));
    expect(new Float32Array(reads.copied as ArrayBuffer)).toEqual(sum(1, 2));
    expect(new Float32Array(reads['y row 3'] as ArrayBuffer)).toEqual(sum(4, 3));
    compiled.destroy();
    for (const buffer of buffers.values()) buffer.destroy();
  });

  test('a view beyond the end of its buffer is refused', async () => {
    const executor = opened();
    const builder = new PlanBuilder('beyond');
    builder.clear(
      builder.external('row', [rowElements], 'f32', { name: 'x', offsetBytes: viewAlignmentBytes }),
    );
    const small = executor.createBuffer('x', 2 * viewAlignmentBytes - 4);
    await expect(executor.compile(builder.build(), new Map([['x', small]]))).rejects.toThrow(
      /'row' ends at byte 512 of 'x', which has 508/,
    );
    small.destroy();
  });
});
