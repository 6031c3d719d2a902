import { expect, it } from "vitest";
import { createWatermarkProof } from "./proven-watermark.ts";
import { tickLeadMs } from "./tick-times.ts";

const endMs = 1_763_900_010_000;

function proofOf(clockSkewMs = 0) {
  const proof = createWatermarkProof({ partitions: 2, clockSkewMs });
  proof.add([
    { partition: 0, offset: 10, appendedMs: endMs - 60 },
    { partition: 1, offset: 20, appendedMs: endMs - 58 },
  ]);
  proof.add([
    { partition: 0, offset: 14, appendedMs: endMs + 3 },
    { partition: 1, offset: 24, appendedMs: endMs + 4 },
  ]);
  return proof;
}
const batch = (watermarkMs: number | undefined, ...ends: number[]) => ({
  watermarkMs,
  endOffsets: new Map(ends.entries()),
});

it("a watermark from early ticks proves a segment's end once the batch has read a later tick in every partition", () => {
  const watermarkMs = endMs - 60 + tickLeadMs;
  expect(proofOf().provenMs(batch(watermarkMs, 15, 24))).toBe(endMs - 58);
  expect(proofOf().provenMs(batch(watermarkMs, 15, 25))).toBe(endMs + 3);
});

it("a watermark proves what is more than the lead before it without any tick", () => {
  expect(proofOf().provenMs(batch(endMs + tickLeadMs, 1, 1))).toBe(endMs);
});

it("the ticks prove nothing beyond the watermark", () => {
  expect(proofOf().provenMs(batch(endMs - 2000, 15, 25))).toBe(endMs - 2000);
  expect(proofOf().provenMs(batch(undefined, 15, 25))).toBeUndefined();
});

it("a tick proves less by the skew of the brokers' clocks", () => {
  expect(proofOf(50).provenMs(batch(endMs - 20, 15, 25))).toBe(endMs - 47);
});
