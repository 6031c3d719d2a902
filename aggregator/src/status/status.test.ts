import { describe, expect, it } from "vitest";
import { createMemoryWindowJob } from "../../testing/memory-window-job.ts";
import { jobLag, statusDocument, windowJobStatus } from "./status.ts";

describe("jobLag", () => {
  it("adds up the unread records of every partition", () => {
    const job = createMemoryWindowJob();
    const ends = new Map([
      [0, 10],
      [1, 20],
      [2, 5],
    ]);
    expect(jobLag(job.progress(), ends)).toBe(35);
    job.report({
      endOffsets: new Map([
        [0, 8],
        [1, 21],
      ]),
    });
    expect(jobLag(job.progress(), ends)).toBe(7);
  });
});

describe("the status of the window job", () => {
  it("is the same in the document and in the contract", () => {
    const job = createMemoryWindowJob();
    job.report({ watermarkMs: 61_500, batch: 7, batchMs: 1234.4, stateRows: 3, processedRowsPerSecond: 2.5 });
    job.become({ kind: "failed", error: "boom", restarts: 2, sparkVersion: "4.1.2" });
    const observation = { job, lag: 4, nowMs: 99_000 };
    const document = statusDocument({ ...observation, holder: "me", problems: ["one"] });
    expect(document).toMatchObject({
      state: "FAILED",
      batch: 7,
      watermark: new Date(61_500),
      last_error: "boom",
      lag: 4,
      holder: "me",
      problems: ["one"],
    });
    expect(windowJobStatus(observation)).toMatchObject({
      state: "FAILED",
      batch: 7n,
      watermark: { seconds: 61n, nanos: 500_000_000 },
      batchDuration: { seconds: 1n, nanos: 234_000_000 },
      lastError: "boom",
      restarts: 2n,
      lag: 4n,
    });
  });

  it("leaves unknown fields unset before the first batch", () => {
    const job = createMemoryWindowJob();
    job.become({ kind: "starting" });
    const observation = { job, lag: 0, nowMs: 0 };
    expect(statusDocument({ ...observation, holder: "", problems: [] })).toMatchObject({
      state: "STARTING",
      batch: null,
      watermark: null,
      last_error: null,
      spark_version: null,
    });
    expect(windowJobStatus(observation)).not.toHaveProperty("watermark");
  });
});
