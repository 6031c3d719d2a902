import { describe, expect, it } from "vitest";
import { createBatchMemory } from "./reading-checks.ts";

describe("the memory of batches", () => {
  it("returns columns that share no byte with another batch's", () => {
    const allocate = createBatchMemory(1024);
    // Some larger than a piece, some empty, most of them with odd lengths.
    const batches = Array.from({ length: 100 }, (_, i) => allocate((i * 7) % 90));
    for (const [i, { timestampsMs, values, sensorCodes }] of batches.entries()) {
      timestampsMs.fill(i);
      values.fill(-i);
      sensorCodes.fill(i);
    }
    for (const [i, { timestampsMs, values, sensorCodes }] of batches.entries()) {
      const length = (i * 7) % 90;
      expect([...timestampsMs]).toEqual(Array(length).fill(i));
      expect([...values]).toEqual(Array(length).fill(-i));
      expect([...sensorCodes]).toEqual(Array(length).fill(i));
    }
  });

  it("returns columns of zeros", () => {
    const { values } = createBatchMemory(1024)(10);
    expect([...values]).toEqual(Array(10).fill(0));
  });
});
