import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { createSparkFixture, expectExact, type SparkFixture } from "../../testing/spark-fixture.ts";
import { adversarialReading, recordOf, seededNumbers } from "../../testing/spark-readings-fixture.ts";

const engines = await testEngines();
/** Engines that the test run did not start cannot be killed. */
const canKill = engines !== undefined && process.env.DEVICEMESH_TEST_SPARK_URL === undefined;

/** Appends readings and ticks until `isDone`; returns the number of readings. */
async function appendUntil(fixture: SparkFixture, isDone: () => boolean, seed: number): Promise<void> {
  const random = seededNumbers(seed);
  let appendedAtMs = 0;
  await waitUntil(
    async () => {
      if (performance.now() - appendedAtMs < 100) return isDone();
      appendedAtMs = performance.now();
      const readings = Array.from({ length: 20 }, () => adversarialReading(random, fixture.partitions));
      await fixture.append(readings.map(recordOf));
      await fixture.tick();
      return isDone();
    },
    { timeoutMs: 120_000, what: "enough appended" },
  );
}

describe.skipIf(!engines)("the window job on a real Spark", () => {
  if (!engines) return;

  it("resumes from its checkpoint after it was stopped in mid-stream", async () => {
    await using fixture = await createSparkFixture(engines, { segmentMs: 500 });
    const first = fixture.startJob();
    await appendUntil(fixture, () => (first.progress()?.batch ?? 0) >= 3, 1);
    await first.close({ stopQuery: true });
    let rounds = 0;
    await appendUntil(fixture, () => ++rounds > 100, 2);
    const second = fixture.startJob();
    await appendUntil(fixture, () => (second.progress()?.batch ?? 0) >= 5, 3);
    await fixture.untilSealed(second);
    await expectExact(fixture, second, { partialsMin: 100 });
    expect(second.progress()?.batch).toBeGreaterThan(first.progress()?.batch ?? 0);
  });

  it("is adopted by a client with the same session", async () => {
    await using fixture = await createSparkFixture(engines, { segmentMs: 500 });
    const first = fixture.startJob();
    await appendUntil(fixture, () => (first.progress()?.batch ?? 0) >= 1, 4);
    await first.close();
    await using spark = fixture.openSession();
    const [query] = await spark.activeQueries();
    const second = fixture.startJob({ spark });
    await appendUntil(fixture, () => second.state().kind === "running", 5);
    expect(await spark.activeQueries()).toEqual([query]);
    expect(second.state().restarts).toBe(0);
    await fixture.untilSealed(second);
    await expectExact(fixture, second, { partialsMin: 20 });
    await second.close({ stopQuery: true });
  });

  it("stops a query with another plan, and starts a new checkpoint", async () => {
    await using fixture = await createSparkFixture(engines);
    const first = fixture.startJob();
    await appendUntil(fixture, () => first.state().kind === "running", 6);
    await first.close();
    await using spark = fixture.openSession();
    const [old] = await spark.activeQueries();
    const second = fixture.startJob({ meaning: { ...fixture.meaning, segmentMs: 1000 } });
    await appendUntil(fixture, () => second.state().kind === "running", 7);
    const active = await spark.activeQueries();
    expect(active.map(({ name }) => name)).toEqual([expect.stringContaining(second.state().checkpoint)]);
    expect(active[0]?.run.id).not.toBe(old?.run.id);
  });

  it("reports why the query cannot run, and runs it once it can", async () => {
    await using fixture = await createSparkFixture(engines);
    const intervals = { restarts: { firstMs: 500, longestMs: 500 } };
    const job = fixture.startJob({ meaning: { ...fixture.meaning, partitions: 4 }, intervals });
    await waitUntil(() => job.state().kind === "failed", { timeoutMs: 120_000 });
    expect(job.state().error).toMatch(/partition/i);
    await fixture.addPartition();
    await appendUntil(fixture, () => job.state().kind === "running", 8);
    expect(job.state().restarts).toBeGreaterThan(0);
    expect(job.state().error).toBeUndefined();
  });

  it("has one parser for each partition, and applies the watermark before the condition", async () => {
    await using fixture = await createSparkFixture(engines);
    const job = fixture.startJob();
    await appendUntil(fixture, () => job.state().kind === "running", 9);
    await using spark = fixture.openSession();
    const [query] = await spark.activeQueries();
    const plan = query ? await spark.explain(query.run) : "";
    expect(plan.match(/from_json\(/g)).toHaveLength(fixture.partitions);
    // Sorting the rows of a batch takes longer than all the rest.
    expect(plan).toContain("HashAggregate");
    expect(plan).not.toMatch(/SortAggregate|ObjectHashAggregate/);
    const lines = plan.split("\n").filter((line) => /EventTimeWatermark|Filter|from_json/.test(line));
    // From the sink to the source: what is written, then condition, watermark and parser of each partition.
    const ofPartition = ["Filter", "EventTimeWatermark", "from_json"];
    expect(lines.map((line) => /EventTimeWatermark|Filter|from_json/.exec(line)?.[0])).toEqual([
      "Filter",
      ...Array.from({ length: fixture.partitions }, () => ofPartition).flat(),
    ]);
  });

  it.skipIf(!canKill)(
    "loses no message and counts none twice when Spark is killed in mid-stream, twice",
    async () => {
      await using fixture = await createSparkFixture(engines, { segmentMs: 500 });
      const job = fixture.startJob();
      for (const round of [1, 2]) {
        const before = job.progress()?.batch ?? 0;
        await appendUntil(fixture, () => (job.progress()?.batch ?? 0) >= before + 3, 10 * round);
        await engines.kill("spark");
        await waitUntil(() => job.state().kind === "unavailable", { timeoutMs: 30_000 });
        let rounds = 0;
        await appendUntil(fixture, () => ++rounds > 100, 10 * round + 1);
        await engines.start("spark");
      }
      await fixture.untilSealed(job, { timeoutMs: 240_000 });
      await expectExact(fixture, job, { partialsMin: 200 });
      expect(job.state()).toMatchObject({ kind: "running" });
    },
  );
});
