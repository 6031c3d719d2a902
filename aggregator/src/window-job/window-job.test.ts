import { silentLogger } from "@devicemesh/kit/observability/logger";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import {
  createMemorySession,
  type MemoryQuery,
  type MemorySession,
} from "../../testing/window-job-memory-session.ts";
import { SparkError } from "../spark/spark-error.ts";
import { startWindowJob, type WindowJob, type WindowJobOptions } from "./window-job.ts";
import { checkpointIdentity } from "./window-plan.ts";

const meaning = { topic: "m", outputTopic: "w", partitions: 2, windowMs: 10_000, segmentMs: 10_000 };
const checkpoint = checkpointIdentity(meaning);
const ourName = `windows of m, ${checkpoint}`;
const faultAfterCrash = {
  message: "java.lang.NullPointerException: Cannot invoke something",
  stackTrace:
    "\tat org.apache.spark.sql.kafka010.KafkaMicroBatchStream$.metrics(KafkaMicroBatchStream.scala:1)",
};

function start(spark: MemorySession, changes: Partial<WindowJobOptions> = {}): WindowJob {
  return startWindowJob({
    spark,
    meaning,
    brokers: ["b:9092"],
    checkpoints: "/checkpoints/",
    watermarkDelayMs: 0,
    sinceOf: async () => ({ sinceMs: 0, startingOffsets: new Map() }),
    logger: silentLogger(),
    intervals: { pollMs: 1, unavailableMs: 1, restarts: { firstMs: 60_000, longestMs: 60_000 } },
    ...changes,
  });
}

function batch(batchId: number, dropped = 0): string {
  return JSON.stringify({
    batchId,
    eventTime: { watermark: new Date(batchId * 1000).toISOString() },
    stateOperators: [{ numRowsTotal: 1, numRowsDroppedByWatermark: dropped }],
  });
}

async function nthQuery(spark: MemorySession, n: number): Promise<MemoryQuery> {
  await waitUntil(() => spark.queries.length >= n);
  return spark.queries[n - 1] as MemoryQuery;
}

describe("the window job", () => {
  it("starts the query from a folder named after its plan", async () => {
    const spark = createMemorySession();
    await using job = start(spark);
    const { name, plan } = await nthQuery(spark, 1);
    expect(name).toBe(ourName);
    expect(plan?.options.checkpointLocation).toBe(`/checkpoints/${checkpoint}`);
    expect(job.state()).toMatchObject({ kind: "starting", restarts: 0, checkpoint, sparkVersion: "4.1.2" });
  });

  it("reports the newest batch, and that it runs", async () => {
    const spark = createMemorySession();
    await using job = start(spark);
    const query = await nthQuery(spark, 1);
    expect(job.progress()).toBeUndefined();
    query.progress.push(batch(0));
    await waitUntil(() => job.state().kind === "running");
    query.progress.push(batch(7));
    await waitUntil(() => job.progress()?.batch === 7);
    expect(job.progress()?.watermarkMs).toBe(7000);
  });

  it("polls often only while a segment is due", async () => {
    const memory = createMemorySession();
    const query = memory.addQuery(ourName);
    query.progress.push(batch(1));
    let polls = 0;
    const spark: MemorySession = {
      ...memory,
      lastProgress(run) {
        polls += 1;
        return memory.lastProgress(run);
      },
    };
    let isDue = true;
    await using job = start(spark, {
      isSegmentDue: () => isDue,
      intervals: { pollMs: 3_600_000, duePollMs: 1 },
    });
    await waitUntil(() => job.progress()?.batch === 1);
    query.progress.push(batch(2));
    await waitUntil(() => job.progress()?.batch === 2);
    isDue = false;
    const before = polls;
    await waitUntil(() => polls > before);
    query.progress.push(batch(3));
    for (let round = 0; round < 100; round++) await new Promise(setImmediate);
    expect(polls).toBe(before + 1);
    expect(job.progress()?.batch).toBe(2);
  });

  it("adopts a running query, with its progress", async () => {
    const spark = createMemorySession();
    const query = spark.addQuery(ourName);
    query.progress.push(batch(1, 2), batch(2), batch(3, 1));
    await using job = start(spark);
    await waitUntil(() => job.state().kind === "running");
    expect(spark.queries).toEqual([query]);
    expect(job.progress()).toMatchObject({ batch: 3, rowsDropped: 3 });
    expect(job.state().restarts).toBe(0);
  });

  it("stops a query with another plan over the same topic, and no other query", async () => {
    const spark = createMemorySession();
    const old = spark.addQuery("windows of m, 0123");
    const other = spark.addQuery("windows of m2, 0123");
    await using _job = start(spark);
    await nthQuery(spark, 3);
    expect([old.isActive, other.isActive]).toEqual([false, true]);
  });

  it("counts dropped rows of batches between two polls", async () => {
    const spark = createMemorySession();
    await using job = start(spark);
    const query = await nthQuery(spark, 1);
    query.progress.push(batch(0));
    await waitUntil(() => job.progress()?.batch === 0);
    query.progress.push(batch(1, 5), batch(2));
    await waitUntil(() => job.progress()?.batch === 2);
    expect(job.progress()?.rowsDropped).toBe(5);
  });

  it("reports why the query failed, and restarts it after a delay", async () => {
    const spark = createMemorySession();
    await using job = start(spark, { intervals: { pollMs: 1, restarts: { firstMs: 30, longestMs: 30 } } });
    const query = await nthQuery(spark, 1);
    query.failure = { message: "no such topic\n=== Streaming Query ===\nlong", stackTrace: "" };
    query.isActive = false;
    await waitUntil(() => job.state().kind === "failed");
    expect(job.state()).toMatchObject({ error: "no such topic", restarts: 0 });
    const next = await nthQuery(spark, 2);
    await waitUntil(() => job.state().kind === "starting");
    expect(job.state()).toMatchObject({ error: "no such topic", restarts: 1 });
    next.progress.push(batch(1));
    await waitUntil(() => job.state().kind === "running");
    expect(job.state().error).toBeUndefined();
  });

  it("restarts the query at once after the known temporary failure", async () => {
    const spark = createMemorySession();
    await using _job = start(spark);
    const query = await nthQuery(spark, 1);
    query.failure = faultAfterCrash;
    query.isActive = false;
    await nthQuery(spark, 2);
  });

  it("restarts the query at once if a restarted server does not know it", async () => {
    const spark = createMemorySession();
    await using job = start(spark);
    const query = await nthQuery(spark, 1);
    query.progress.push(batch(4));
    await waitUntil(() => job.progress()?.batch === 4);
    spark.forget();
    await nthQuery(spark, 2);
    expect(job.state().restarts).toBe(1);
    expect(job.progress()?.batch).toBe(4);
  });

  it("keeps its progress while Spark is unavailable, and adopts the query afterwards", async () => {
    const spark = createMemorySession();
    await using job = start(spark);
    const query = await nthQuery(spark, 1);
    query.progress.push(batch(4));
    await waitUntil(() => job.progress()?.batch === 4);
    spark.trouble = new SparkError("unavailable", "no answer");
    await waitUntil(() => job.state().kind === "unavailable");
    expect(job.state().error).toBe("no answer");
    expect(job.progress()?.watermarkMs).toBe(4000);
    spark.trouble = undefined;
    query.progress.push(batch(5));
    await waitUntil(() => job.state().kind === "running");
    expect(job.state()).toEqual({
      kind: "running",
      withoutBatchMs: expect.any(Number),
      restarts: 0,
      checkpoint,
      sparkVersion: "4.1.2",
    });
    expect(spark.queries).toHaveLength(1);
  });

  it("reports a query that completes no batch although the log grows, and restarts it", async () => {
    const spark = createMemorySession();
    await using job = start(spark, {
      isLogAhead: () => true,
      intervals: {
        pollMs: 1,
        stalledMs: 10,
        stalledRestarts: { firstMs: 2000, longestMs: 2000 },
        restarts: { firstMs: 1, longestMs: 1 },
      },
    });
    const query = await nthQuery(spark, 1);
    query.progress.push(batch(0));
    // It is "running" for a moment only.
    await waitUntil(() => job.progress()?.batch === 0);
    await waitUntil(() => job.state().kind === "stalled");
    expect(query.isActive).toBe(true);
    const next = await nthQuery(spark, 2);
    expect(query.isActive).toBe(false);
    expect(job.state().error).toMatch(/^no batch for \d+ s although the log grows$/);
    next.progress.push(batch(1));
    await waitUntil(() => job.progress()?.batch === 1 && job.state().error === undefined);
  });

  it("does not restart a query that completes no batch because no message arrives", async () => {
    const spark = createMemorySession();
    await using job = start(spark, {
      isLogAhead: () => false,
      intervals: { pollMs: 1, stalledMs: 1, stalledRestarts: { firstMs: 1, longestMs: 1 } },
    });
    const query = await nthQuery(spark, 1);
    query.progress.push(batch(0));
    await waitUntil(() => job.state().kind === "running");
    await waitUntil(() => job.state().withoutBatchMs > 30);
    expect(job.state().kind).toBe("running");
    expect(query.isActive).toBe(true);
  });

  it("requests the start of a checkpoint again after a failure", async () => {
    const spark = createMemorySession();
    let asked = 0;
    await using _job = start(spark, {
      async sinceOf(identity) {
        asked += 1;
        if (asked === 1) throw new Error("no database");
        expect(identity).toBe(checkpoint);
        return { sinceMs: 20_000, startingOffsets: new Map([[1, 7]]) };
      },
      intervals: { pollMs: 1, restarts: { firstMs: 1, longestMs: 1 }, unavailableMs: 1 },
    });
    await nthQuery(spark, 1);
    expect(asked).toBe(2);
  });

  it("leaves the query running when it is closed", async () => {
    const spark = createMemorySession();
    const job = start(spark);
    const query = await nthQuery(spark, 1);
    await job.close();
    await job.close();
    expect(query.isActive).toBe(true);
  });

  it("stops the query if requested", async () => {
    const spark = createMemorySession();
    const job = start(spark);
    const query = await nthQuery(spark, 1);
    await job.close({ stopQuery: true });
    expect(query.isActive).toBe(false);
  });

  it("closes although Spark does not answer", async () => {
    const spark = createMemorySession();
    spark.isStuck = true;
    const job = start(spark);
    await job.close();
  });
});
