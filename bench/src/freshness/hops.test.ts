import { describe, expect, it } from "vitest";
import { reachedAt, segmentHops, timedBatch } from "./hops.ts";

const progress = (batchId: number, second: number, watermark: string): string =>
  JSON.stringify({
    batchId,
    timestamp: `2026-01-01T00:00:${String(second).padStart(2, "0")}.000Z`,
    batchDuration: 400,
    durationMs: { addBatch: 300 },
    eventTime: { watermark },
    sources: [{ numInputRows: 3 }, { numInputRows: 4 }, {}],
  });
const startMs = Date.UTC(2026, 0, 1);

describe("a batch", () => {
  it("has its start, its duration, its rows and its steps", () => {
    expect(timedBatch(progress(7, 11, "2026-01-01T00:00:10.002Z"))).toEqual({
      batch: 7,
      beganMs: startMs + 11_000,
      durationMs: 400,
      watermarkMs: startMs + 10_002,
      rows: 7,
      steps: { addBatch: 300 },
    });
  });

  it("has no watermark before there is one", () => {
    expect(timedBatch('{"batchId":0,"timestamp":"2026-01-01T00:00:00.000Z"}').watermarkMs).toBeUndefined();
  });
});

describe("the hops of segments", () => {
  const batches = [
    timedBatch(progress(1, 10, "2026-01-01T00:00:09.002Z")),
    timedBatch(progress(2, 12, "2026-01-01T00:00:11.002Z")),
    timedBatch(progress(3, 13, "2026-01-01T00:00:12.002Z")),
  ];

  it("are of the first batch with a watermark at or after the end, and of the first moment at which each was seen", () => {
    const seen = [
      { atMs: startMs + 9000, value: 0 },
      { atMs: startMs + 13_000, value: startMs + 10_000 },
      { atMs: startMs + 13_100, value: startMs + 10_000 },
    ];
    const hops = segmentHops({
      sinceMs: startMs + 1,
      toMs: startMs + 20_000,
      segmentMs: 10_000,
      batches,
      partials: new Map([
        [
          startMs + 10_000,
          {
            appendedMs: startMs + 12_380,
            ends: new Map([
              [0, 5],
              [1, 7],
            ]),
          },
        ],
      ]),
      committed: [
        { atMs: startMs + 12_400, value: new Map([[0, 5]]) },
        {
          atMs: startMs + 12_500,
          value: new Map([
            [0, 6],
            [1, 7],
          ]),
        },
      ],
      published: seen,
      answered: seen,
    });
    expect(hops).toEqual([
      {
        endMs: startMs + 10_000,
        batchBegan: startMs + 12_000,
        batchEnded: startMs + 12_400,
        lastPartial: startMs + 12_380,
        sinkCommitted: startMs + 12_500,
        published: startMs + 13_000,
        answered: startMs + 13_000,
      },
    ]);
  });

  it("leave out what was not seen", () => {
    expect(reachedAt([{ atMs: 1, value: 2 }], 3)).toBeUndefined();
    const [hop] = segmentHops({
      sinceMs: startMs + 15_000,
      toMs: startMs + 25_000,
      segmentMs: 10_000,
      batches,
      partials: new Map(),
      committed: [],
      published: [],
      answered: [],
    });
    expect(hop).toEqual({ endMs: startMs + 20_000 });
  });
});
