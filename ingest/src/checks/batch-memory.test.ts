import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createBatchMemory, type NumberColumns } from "./reading-checks.ts";

/** Fills the columns of a batch with its number. */
function fill({ timestampsMs, values, sensorCodes }: NumberColumns, number: number): void {
  timestampsMs.fill(number);
  values.fill(-number);
  sensorCodes.fill(number);
}

function expectFilled({ timestampsMs, values, sensorCodes }: NumberColumns, number: number): void {
  const { length } = values;
  expect([...timestampsMs]).toEqual(Array(length).fill(number));
  expect([...values]).toEqual(Array(length).fill(-number));
  expect([...sensorCodes]).toEqual(Array(length).fill(number));
}

describe("the memory of batches", () => {
  it("returns columns that share no byte with another batch's, whatever was released before", () => {
    // Some larger than a piece, some empty, most of them with odd lengths.
    const allocate = fc.record({ rows: fc.integer({ min: 0, max: 90 }) });
    const release = fc.record({ place: fc.nat(1000) });
    fc.assert(
      fc.property(fc.array(fc.oneof(allocate, release), { maxLength: 300 }), (steps) => {
        const memory = createBatchMemory(1024);
        const inUse: { number: number; columns: NumberColumns }[] = [];
        for (const [number, step] of steps.entries()) {
          if ("rows" in step) {
            const columns = memory.allocate(step.rows);
            expect([columns.values.length, columns.sensorCodes.length]).toEqual([step.rows, step.rows]);
            fill(columns, number);
            inUse.push({ number, columns });
          } else if (inUse.length > 0) {
            const [released] = inUse.splice(step.place % inUse.length, 1);
            expectFilled(released!.columns, released!.number);
            memory.release(released!.columns);
          }
        }
        for (const { number, columns } of inUse) expectFilled(columns, number);
      }),
    );
  });

  it("uses the same memory again and again for batches that are released in time", () => {
    const memory = createBatchMemory(1024);
    const buffers = new Set<ArrayBufferLike>();
    const inFlight: NumberColumns[] = [];
    for (let number = 0; number < 1000; number++) {
      inFlight.push(memory.allocate(20));
      buffers.add(inFlight.at(-1)!.values.buffer);
      if (inFlight.length > 5) memory.release(inFlight.shift()!);
    }
    // Two batches fit into a piece: three pieces are in flight, and the next one.
    expect(buffers.size).toBeLessThanOrEqual(4);
  });

  it("does not use the memory of batches that are not released", () => {
    const memory = createBatchMemory(1024);
    const buffers = Array.from({ length: 100 }, () => memory.allocate(50).values.buffer);
    expect(new Set(buffers).size).toBe(100);
  });
});
