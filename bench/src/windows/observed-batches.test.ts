import type { BatchProgress } from "@devicemesh/aggregator/window-job/window-job-progress";
import { describe, expect, it } from "vitest";
import { createBatchRecord, splitAtRows, sumOf } from "./observed-batches.ts";

const progressOf = (batch: number, inputRows: number) => ({ batch, inputRows, batchMs: 10 }) as BatchProgress;

function recorded(...rows: readonly number[]) {
  let cpuMs = 0;
  const record = createBatchRecord({ now: () => 5, sparkCpuMs: () => (cpuMs += 100) });
  for (const [batch, inputRows] of rows.entries()) record.add(progressOf(batch, inputRows));
  return record;
}

describe("observed batches", () => {
  it("have their rows, their time and Spark's CPU time", () => {
    const record = recorded(3, 4);
    expect(record.rows).toBe(7);
    expect(record.batches).toEqual([
      { batch: 0, rows: 3, batchMs: 10, seenAtMs: 5, sparkCpuMs: 100 },
      { batch: 1, rows: 4, batchMs: 10, seenAtMs: 5, sparkCpuMs: 200 },
    ]);
  });

  it("are split after the batch that reaches the rows", () => {
    const { batches } = recorded(3, 4, 5);
    const [first, rest] = splitAtRows(batches, 6);
    expect([first.length, rest.length]).toEqual([2, 1]);
    expect(() => splitAtRows(batches, 13)).toThrow("the batches have 12 rows, not 13");
  });

  it("add up, with the CPU time since the batch before", () => {
    const { batches } = recorded(3, 4, 5);
    expect(sumOf(batches.slice(1), 100)).toEqual({ batches: 2, rows: 9, batchMs: 20, sparkCpuMs: 200 });
    expect(sumOf([], 100)).toEqual({ batches: 0, rows: 0, batchMs: 0, sparkCpuMs: 0 });
  });
});
