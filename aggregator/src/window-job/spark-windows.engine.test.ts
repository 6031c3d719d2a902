import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { poisonRecords } from "@devicemesh/operator/testing/poison-records";
import { parseIdentity } from "@devicemesh/pipeline";
import { alignDown } from "@devicemesh/proto";
import { describe, expect, it } from "vitest";
import { createSparkFixture, expectExact } from "../../testing/spark-fixture.ts";
import {
  adversarialReading,
  recordOf,
  seededNumbers,
  shuffled,
} from "../../testing/spark-readings-fixture.ts";
import { bruteForcePartials, differences } from "../../testing/window-plan-oracle.ts";
import { tickLeadMs } from "../log/tick-times.ts";

const engines = await testEngines();

/** The value of a record in JSON, if JavaScript can read it. */
function readValue(text: string): number | undefined {
  try {
    return (JSON.parse(text) as { readonly value: number }).value;
  } catch {
    return undefined;
  }
}

describe.skipIf(!engines)("the windows that Spark writes", () => {
  if (!engines) return;

  it("equal brute force over late, early, duplicate and shuffled messages", async () => {
    await using fixture = await createSparkFixture(engines);
    const job = fixture.startJob();
    const random = seededNumbers(1);
    for (let round = 0; round < 8; round += 1) {
      const readings = Array.from({ length: 150 }, () => adversarialReading(random, fixture.partitions));
      // One in ten is sent twice, one in twenty again with another value.
      const duplicates = readings.filter(() => random() < 0.1);
      const conflicts = readings
        .filter(() => random() < 0.05)
        // Far from every other value: the plan leaves nearly equal ones to raw readings, and conflicts to the marks.
        .map((reading) => ({ ...reading, value: -77.25 }));
      await fixture.append(shuffled([...readings, ...duplicates, ...conflicts], random).map(recordOf));
      await fixture.tick();
    }
    await fixture.untilSealed(job);
    await expectExact(fixture, job, { partialsMin: 250 });
  });

  it("equal brute force while they catch up with very uneven partitions", async () => {
    await using fixture = await createSparkFixture(engines, { segmentMs: 500 });
    const random = seededNumbers(3);
    // Ten times as many in partition 0, over many segments, and none at all in the last one.
    for (let round = 0; round < 12; round += 1) {
      const readings = Array.from({ length: 220 }, (_, place) => ({
        ...adversarialReading(random, fixture.partitions),
        partition: place % 11 === 0 ? 1 : 0,
      }));
      await fixture.append(readings.map(recordOf));
      await fixture.tick();
      const startedMs = Date.now();
      await waitUntil(() => Date.now() - startedMs > 150);
    }
    const job = fixture.startJob({ intervals: { maxOffsetsPerTrigger: 100, triggerMs: 100, pollMs: 200 } });
    await fixture.untilSealed(job);
    await expectExact(fixture, job, { partialsMin: 500 });
  });

  it("wait for a partition that never had a record, and continue with its first tick", async () => {
    await using fixture = await createSparkFixture(engines, { segmentMs: 500 });
    const job = fixture.startJob();
    const random = seededNumbers(4);
    const readings = Array.from({ length: 30 }, () => ({
      ...adversarialReading(random, fixture.partitions),
      partition: 0,
    }));
    await fixture.append(readings.map(recordOf));
    await waitUntil(() => job.progress()?.endOffsets.get(0) === 30, { timeoutMs: 90_000 });
    await fixture.append(readings.map(recordOf));
    await waitUntil(() => job.progress()?.endOffsets.get(0) === 60, { timeoutMs: 30_000 });
    expect(job.progress()?.watermarkMs).toBe(0);
    expect((await fixture.readPartials()).partials.size).toBe(0);
    await fixture.untilSealed(job);
    await expectExact(fixture, job, { partialsMin: 20 });
  });

  it("are closed by ticks shortly before the end of a segment, without a later record", async () => {
    await using fixture = await createSparkFixture(engines);
    const { segmentMs } = fixture;
    const job = fixture.startJob();
    const random = seededNumbers(6);
    const append = () =>
      fixture.append(
        Array.from({ length: 30 }, () => recordOf(adversarialReading(random, fixture.partitions))),
      );
    await append();
    await fixture.untilSealed(job);
    let tickedMs: number;
    do {
      await append();
      await waitUntil(() => segmentMs - (Date.now() % segmentMs) < tickLeadMs / 2, {
        timeoutMs: 30_000,
        everyMs: 5,
      });
      tickedMs = await fixture.tick();
      // On a busy machine the ticks may come too late; then those of the next segment are tried.
    } while (segmentMs - (tickedMs % segmentMs) >= tickLeadMs);
    const endMs = alignDown(tickedMs, segmentMs) + segmentMs;
    await waitUntil(() => (job.progress()?.watermarkMs ?? 0) >= endMs, { timeoutMs: 60_000 });
    await expectExact(fixture, job, { partialsMin: 20 });
  });

  it("leave out messages that arrived before the start of a checkpoint", async () => {
    await using fixture = await createSparkFixture(engines, { segmentMs: 500 });
    const random = seededNumbers(5);
    const batch = () =>
      Array.from({ length: 60 }, () => recordOf(adversarialReading(random, fixture.partitions)));
    await fixture.append(batch());
    const beforeMs = await fixture.tick();
    const sinceMs = Math.ceil((beforeMs + 1) / 500) * 500;
    await waitUntil(() => Date.now() >= sinceMs);
    await fixture.append(batch());
    // The offsets lie earlier: the messages in between are left out by their append time.
    const job = fixture.startJob({
      sinceOf: async () => ({ sinceMs, startingOffsets: new Map([[0, 5]]) }),
    });
    await fixture.untilSealed(job);
    await expectExact(fixture, job, { partialsMin: 20, sinceMs });
  });

  it("count every unusual record that the raw store accepts, or are marked as invalid because of it", async () => {
    // Each record has its own millisecond, and therefore its own window.
    await using fixture = await createSparkFixture(engines, { windowMs: 1 });
    const job = fixture.startJob();
    const random = seededNumbers(2);
    const poison = poisonRecords();
    await fixture.append(poison.map(({ key, value }) => ({ partition: 1, key, value })));
    const good = Array.from({ length: 40 }, () => adversarialReading(random, fixture.partitions));
    await fixture.append(good.map(recordOf));
    await fixture.untilSealed(job);
    const { partials } = await fixture.readPartials();
    const byIdentity = new Map(
      [...partials].map(([key, partial]) => [key.slice(0, key.lastIndexOf("|")), partial]),
    );
    const stored = poison.filter(({ outcome }) => outcome === "stored");
    const missing = stored.filter(({ key }) => !byIdentity.has(key ?? ""));
    expect(missing.map(({ name }) => name)).toEqual([]);
    // The sink rejects such a partial, which marks the window.
    const spoiled = stored.filter(({ key }) => typeof byIdentity.get(key ?? "")?.sum !== "number");
    expect(spoiled.map(({ name }) => name)).toEqual(["UTF-16", "a byte order mark"]);
    const readable = stored.filter(
      ({ value }) => typeof value === "string" && readValue(value) !== undefined,
    );
    expect(readable.length).toBeGreaterThan(10);
    for (const { name, key, value } of readable) {
      expect([name, byIdentity.get(key ?? "")?.sum]).toEqual([name, readValue(value as string)]);
    }
    expect([...byIdentity.keys()].filter((identity) => !parseIdentity(identity))).toEqual([]);
    const ofDevices = [...partials].filter(([, { device_id }]) => device_id.startsWith("device-"));
    const records = await fixture.readMessages();
    const expected = bruteForcePartials(
      records.filter(({ key }) => key?.startsWith("device-")),
      fixture,
    );
    expect(differences(new Map(ofDevices), expected)).toEqual([]);
    expect(job.state()).toMatchObject({ kind: "running", restarts: 0 });
  });
});
