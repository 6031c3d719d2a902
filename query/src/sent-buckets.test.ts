import { describe, expect, it } from "vitest";
import { createGroupMerge, partialOfReading } from "./merge.ts";
import { createSentBuckets } from "./sent-buckets.ts";

function aggregates(...bucketsMs: readonly number[]) {
  const merge = createGroupMerge("series");
  merge.add(
    bucketsMs.map((bucketMs) => ({
      ...partialOfReading({ timestampMs: bucketMs, value: 1 }),
      deviceId: "a",
      sensor: "temperature" as const,
      bucketMs,
      fromRaw: 1,
    })),
  );
  return merge.aggregates();
}

describe("createSentBuckets", () => {
  it("takes what is new and what has another count", () => {
    const sent = createSentBuckets();
    const taken = (...bucketsMs: readonly number[]) =>
      sent.takeChanged(aggregates(...bucketsMs)).map(({ bucketMs }) => bucketMs);
    expect(taken(0, 10)).toEqual([0, 10]);
    expect(taken(0, 10)).toEqual([]);
    expect(taken(0, 0, 10, 20)).toEqual([0, 20]);
  });

  it("forgets what is no longer watched", () => {
    const sent = createSentBuckets();
    for (let bucketMs = 0; bucketMs < 1000; bucketMs += 10)
      sent.takeChanged(aggregates(bucketMs, bucketMs + 10));
    expect(sent.size).toBe(2);
  });
});
