import { describe, expect, it } from "vitest";
import { batchOf } from "../../testing/message-log.contract.ts";
import type { CheckedFrame } from "../checks/reading-checks.ts";
import { createCommitUnit } from "./publish-readings.ts";

describe("a commit unit", () => {
  it("counts frames and readings, and numbers rejected readings within the unit", () => {
    const unit = createCommitUnit(100);
    unit.add(frame({ accepted: 2, refusedRows: [1] }));
    unit.add(frame({ accepted: 1, refusedRows: [0, 2] }));
    expect([unit.frames, unit.readings, unit.refusalsLeft]).toEqual([2, 6, 97]);
    const { accepted, refused, refusedReadings } = unit.result().response;
    expect([accepted, refused]).toEqual([3n, 3n]);
    expect(refusedReadings.map(({ ordinal }) => ordinal)).toEqual([1n, 3n, 5n]);
  });

  it("lists rejections up to its limit, and counts all", () => {
    const unit = createCommitUnit(3);
    unit.add(frame({ accepted: 0, refusedRows: [0, 1] }));
    unit.add(frame({ accepted: 0, refusedRows: [0, 1] }));
    expect(unit.refusalsLeft).toBe(0);
    const { refused, refusedReadings } = unit.result().response;
    expect([refused, refusedReadings.length]).toEqual([4n, 3]);
  });

  it("adds up the rejections of its frames by rule", () => {
    const unit = createCommitUnit(1);
    unit.add(frame({ accepted: 1, refusedRows: [0, 2] }));
    unit.add(frame({ accepted: 3, refusedRows: [] }));
    unit.add(frame({ accepted: 0, refusedRows: [0] }));
    expect([...unit.result().refusedByRule]).toEqual([["required", 3]]);
  });

  it("is all zeros without a frame", () => {
    expect(createCommitUnit(3).result().response).toEqual({ accepted: 0n, refused: 0n, refusedReadings: [] });
  });
});

function frame({ accepted, refusedRows }: { accepted: number; refusedRows: number[] }): CheckedFrame {
  const message = { deviceId: "a", timestampMs: 0, sensor: "temperature", value: 1 } as const;
  return {
    batch: batchOf(Array.from({ length: accepted }, () => message)),
    refused: refusedRows.length,
    refusals: refusedRows.map((row) => ({
      row,
      identity: "",
      fieldPath: "",
      ruleId: "required" as const,
      text: "",
    })),
    refusedByRule: new Map(refusedRows.length === 0 ? [] : [["required", refusedRows.length]]),
  };
}
