import { describe, expect, it } from "vitest";
import { batchOf } from "../../testing/memory-window-job.ts";
import { waitingChecksMax } from "../limits.ts";
import type { BatchProgress } from "../window-job/window-job-progress.ts";
import { type BatchChecks, createBatchChecks } from "./batch-checks.ts";

const at = (...offsets: number[]) => new Map(offsets.entries());
const batch = (number: number, from: number, to: number, changes: { rowsDropped?: number } = {}) =>
  batchOf({
    batch: number,
    startOffsets: at(from),
    endOffsets: at(to),
    watermarkMs: number * 1000,
    ...changes,
  });

/** A batch that has read everything before its watermark. */
const see = (checks: BatchChecks, seen: BatchProgress): void => checks.add(seen, seen.watermarkMs);

describe("createBatchChecks", () => {
  it("checks no range of the log if consecutive batches dropped nothing", () => {
    const checks = createBatchChecks({ checked: at(3), sinceMs: 0 });
    see(checks, batch(1, 3, 5));
    see(checks, batch(2, 5, 5));
    expect(checks.waiting).toEqual([]);
    expect(checks.checked).toEqual(at(5));
    expect(checks.handledWatermarkMs(at(5))).toBe(2000);
  });

  it("trusts the watermark of a batch only as far as the batch has read", () => {
    const checks = createBatchChecks({ checked: at(3), sinceMs: 0 });
    checks.add(batch(1, 3, 5), 940);
    expect(checks.handledWatermarkMs(at(5))).toBe(940);
    checks.add(batch(2, 5, 8), undefined);
    expect(checks.checked).toEqual(at(8));
    expect(checks.handledWatermarkMs(at(8))).toBe(940);
  });

  it("checks the range of a batch that dropped messages, and no later batch counts until that range is marked", () => {
    const checks = createBatchChecks({ checked: at(3), sinceMs: 0 });
    see(checks, batch(1, 3, 5));
    see(checks, batch(2, 5, 8, { rowsDropped: 1 }));
    see(checks, batch(3, 8, 9));
    expect(checks.waiting).toEqual([{ from: at(5), to: at(8), watermarkMs: 2000, isGap: false }]);
    expect(checks.checked).toEqual(at(5));
    expect(checks.handledWatermarkMs(at(99))).toBe(1000);
    checks.complete(1);
    expect(checks.checked).toEqual(at(9));
    expect(checks.handledWatermarkMs(at(99))).toBe(3000);
  });

  it("checks the range of batches that it did not observe, whatever they dropped", () => {
    const checks = createBatchChecks({ checked: at(3), sinceMs: 0 });
    see(checks, batch(7, 10, 12, { rowsDropped: 2 }));
    expect(checks.waiting).toEqual([
      { from: at(3), to: at(10), watermarkMs: 7000, isGap: true },
      { from: at(10), to: at(12), watermarkMs: 7000, isGap: false },
    ]);
    checks.complete(1);
    expect(checks.checked).toEqual(at(3));
    checks.complete(1);
    expect(checks.checked).toEqual(at(12));
  });

  it("checks every batch of a checkpoint until its watermark has reached the time from which the checkpoint counts", () => {
    const checks = createBatchChecks({ checked: at(3), sinceMs: 2000 });
    see(checks, batch(1, 3, 5));
    see(checks, batch(2, 5, 6));
    see(checks, batch(3, 6, 7));
    // Spark drops by the watermark of the batch before, so only the third counts what it drops.
    expect(checks.waiting.map(({ to }) => to)).toEqual([at(5), at(6)]);
  });

  it("returns a watermark only once the sink has stored all messages that Spark had read", () => {
    const checks = createBatchChecks({ checked: at(0, 0), sinceMs: 0 });
    see(checks, batchOf({ batch: 1, watermarkMs: 1000, endOffsets: at(5, 2) }));
    see(checks, batchOf({ batch: 2, watermarkMs: 2000, endOffsets: at(6, 4) }));
    expect(checks.handledWatermarkMs(at(9, 1))).toBeUndefined();
    expect(checks.handledWatermarkMs(at(9, 3))).toBe(1000);
    expect(checks.handledWatermarkMs(at(6, 4))).toBe(2000);
    // A replayed sink has lower offsets; what was handled stays so.
    expect(checks.handledWatermarkMs(at(0, 0))).toBe(2000);
  });

  it("keeps a bounded number of ranges while nothing can be marked, and joins all further batches into one", () => {
    const checks = createBatchChecks({ checked: at(0), sinceMs: 0 });
    const count = waitingChecksMax + 50;
    for (let number = 0; number < count; number++) {
      see(checks, batch(number, number, number + 1, { rowsDropped: 1 }));
    }
    expect(checks.waiting).toHaveLength(waitingChecksMax);
    checks.complete(waitingChecksMax);
    see(checks, batch(count, count, count + 1));
    expect(checks.waiting).toMatchObject([{ from: at(waitingChecksMax), to: at(count), isGap: true }]);
  });
});
