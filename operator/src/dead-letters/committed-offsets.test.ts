import { describe, expect, it } from "vitest";
import { createCommittedOffsets } from "./committed-offsets.ts";

describe("committed offsets", () => {
  it("never go back in any partition", async () => {
    const calls: string[] = [];
    const committed = createCommittedOffsets(async (topic, partition, offset) => {
      calls.push(`${topic}/${partition}@${offset}`);
    });
    await Promise.all([
      committed.advance("a", 0, 5),
      committed.advance("a", 0, 3),
      committed.advance("a", 1, 3),
      committed.advance("a", 0, 6),
    ]);
    expect(calls).toEqual(["a/0@5", "a/1@3", "a/0@6"]);
  });

  it("are committed again after a failed commit", async () => {
    let failures = 1;
    const calls: number[] = [];
    const committed = createCommittedOffsets(async (_topic, _partition, offset) => {
      if (failures-- > 0) throw new Error("unavailable");
      calls.push(offset);
    });
    await expect(committed.advance("a", 0, 5)).rejects.toThrow("unavailable");
    await committed.advance("a", 0, 5);
    expect(calls).toEqual([5]);
  });
});
