import { describe, expect, it } from "vitest";
import { restartDelayMs } from "./window-job-restarts.ts";

const failed = { kind: "failed", message: "no such topic", trace: "" } as const;
const faultAfterCrash = {
  kind: "failed",
  message: "java.lang.NullPointerException",
  trace: "\tat org.apache.spark.sql.kafka010.KafkaMicroBatchStream.metrics(KafkaMicroBatchStream.scala:1)",
} as const;

describe("the delay before a restart", () => {
  it("doubles with each failure, up to a limit", () => {
    const delays = [1, 2, 3, 7, 50].map((failures) => restartDelayMs({ error: failed, failures }));
    expect(delays).toEqual([1000, 2000, 4000, 60_000, 60_000]);
  });

  it.each([
    ["the fault after a crash", faultAfterCrash],
    ["a query that the server does not know", { ...failed, kind: "queryNotFound" } as const],
  ])("is zero for the first failures by %s", (_, error) => {
    const delays = [1, 3, 4].map((failures) => restartDelayMs({ error, failures }));
    expect(delays).toEqual([0, 0, 8000]);
  });

  it("is not zero for any other null pointer", () => {
    expect(restartDelayMs({ error: { ...faultAfterCrash, trace: "\tat x.y" }, failures: 1 })).toBe(1000);
  });
});
