import { describe, expect, it } from "vitest";
import type { StoreParts } from "../store/store-status.ts";
import { partsMessage } from "./pipeline-parts.ts";

const nowMs = Date.UTC(2026, 10, 24, 12);

const parts: StoreParts = {
  reports: [
    { name: "operator", reportedMs: nowMs - 10_000 },
    { name: "aggregator", reportedMs: nowMs - 500 },
  ],
  deadLetters: [{ kind: "duplicate", count: 3 }],
  connectors: [
    {
      name: "raw",
      state: "RUNNING",
      tasks: [{ id: 0, state: "FAILED", error: "no database" }],
      lag: 7,
      restarts: 2,
    },
  ],
  windowJob: {
    state: "RUNNING",
    checkpoint: "abc",
    batch: 0,
    watermarkMs: nowMs - 2500,
    inputRowsPerSecond: 10.5,
    processedRowsPerSecond: 20,
    batchMs: 1500,
    stateRows: 24,
    rowsDropped: 0,
    lag: 5,
    restarts: 1,
    lastError: "",
    observedMs: nowMs - 1000,
  },
  dirtyWindows: 4,
  repairedWindows: 5,
  problems: ["the sink is stuck"],
};

describe("partsMessage", () => {
  it("returns the reports of the components", () => {
    expect(partsMessage(parts, nowMs)).toEqual({
      deadLetters: [{ kind: "duplicate", count: 3n }],
      connectors: [
        {
          name: "raw",
          state: "RUNNING",
          tasks: [{ id: 0, state: "FAILED", error: "no database" }],
          lag: 7n,
          restarts: 2n,
        },
      ],
      windowJob: {
        state: "RUNNING",
        checkpoint: "abc",
        batch: 0n,
        watermark: { seconds: BigInt(nowMs / 1000 - 3), nanos: 500_000_000 },
        inputRowsPerSecond: 10.5,
        processedRowsPerSecond: 20,
        batchDuration: { seconds: 1n, nanos: 500_000_000 },
        stateRows: 24n,
        rowsDropped: 0n,
        lag: 5n,
        restarts: 1n,
        lastError: "",
        observed: { seconds: BigInt(nowMs / 1000 - 1), nanos: 0 },
      },
      dirtyWindows: 4n,
      repairedWindows: 5n,
      problems: ["the sink is stuck"],
    });
  });

  it("reports a component that has stopped reporting, or has never reported", () => {
    const reports = [
      { name: "operator", reportedMs: nowMs - 12_000 },
      { name: "aggregator", reportedMs: undefined },
    ];
    expect(partsMessage({ ...parts, reports }, nowMs).problems).toEqual([
      "the operator has not reported for 12 s: see whether it runs",
      "the aggregator has never reported: start it",
      "the sink is stuck",
    ]);
  });

  it("leaves out a window job that has not reported, a batch and a watermark before the first", () => {
    expect(partsMessage({ ...parts, windowJob: undefined }, nowMs)).not.toHaveProperty("windowJob");
    const { windowJob } = parts;
    if (!windowJob) throw new Error("there is one above");
    const before = { ...windowJob, batch: undefined, watermarkMs: undefined };
    const message = partsMessage({ ...parts, windowJob: before }, nowMs).windowJob;
    expect(message).not.toHaveProperty("batch");
    expect(message).not.toHaveProperty("watermark");
  });
});
