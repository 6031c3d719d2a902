import { describe, expect, it } from "vitest";
import { createProgressTracker, parseBatchProgress } from "./window-job-progress.ts";

const sparks = {
  batchId: 65,
  batchDuration: 1278,
  eventTime: { watermark: "2026-11-25T08:52:24.883Z" },
  stateOperators: [{ numRowsTotal: 3, numRowsDroppedByWatermark: 2 }],
  sources: [
    {
      startOffset: { m: { 0: 142 } },
      endOffset: { m: { 0: 146 } },
      numInputRows: 4,
      inputRowsPerSecond: 2,
      processedRowsPerSecond: 1.5,
    },
    { endOffset: '{"m":{"1":12}}' },
    { endOffset: null, numInputRows: 5, inputRowsPerSecond: 1, processedRowsPerSecond: 0.5 },
  ],
};

describe("a batch's progress", () => {
  it("is read from Spark's JSON, over all sources", () => {
    expect(parseBatchProgress(JSON.stringify(sparks))).toEqual({
      batch: 65,
      watermarkMs: Date.UTC(2026, 10, 25, 8, 52, 24, 883),
      inputRows: 9,
      inputRowsPerSecond: 3,
      processedRowsPerSecond: 2,
      batchMs: 1278,
      stateRows: 3,
      rowsDropped: 2,
      startOffsets: new Map([[0, 142]]),
      endOffsets: new Map([
        [0, 146],
        [1, 12],
      ]),
    });
  });

  it("has no watermark before Spark has one", () => {
    expect(parseBatchProgress('{"batchId":0}').watermarkMs).toBeUndefined();
  });

  it("must have a batch", () => {
    expect(() => parseBatchProgress("{}")).toThrow(TypeError);
  });
});

describe("the progress of all batches", () => {
  const batch = (number: number, rowsDropped: number) => ({
    ...parseBatchProgress(`{"batchId":${number}}`),
    rowsDropped,
  });

  it("adds up dropped rows, each batch once", () => {
    const tracker = createProgressTracker();
    expect(tracker.progress).toBeUndefined();
    expect([batch(1, 2), batch(1, 2), batch(3, 1), batch(2, 9)].map(tracker.add)).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(tracker.progress).toMatchObject({ batch: 3, rowsDropped: 3 });
  });
});
