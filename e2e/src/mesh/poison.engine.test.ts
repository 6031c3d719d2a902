import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { type Scrape, scrape } from "@devicemesh/kit/testing/metrics-scrape";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { type PoisonRecord, poisonRecords, poisonSeries } from "@devicemesh/operator/testing/poison-records";
import { collections, type MessageDocument, parseIdentity } from "@devicemesh/pipeline";
import { type DeviceMessage, sensorByName } from "@devicemesh/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allMetrics } from "../../../scripts/metrics-tables.ts";
import { differencesOf, expectAllFromWindows } from "../../testing/mesh/exact-sets.ts";
import { type RealMesh, startRealMesh } from "../../testing/mesh/real-mesh.ts";
import { everyMs } from "../../testing/mesh/waits.ts";
import { createPublisher, readingOf } from "../../testing/publisher.ts";

const engines = await testEngines();

// A client with access to the topic may write records that ingest never would. The raw store and the window job both
// read them: they must agree, or the store's rejection must mark the window.
describe.skipIf(engines === undefined)("poison among good readings", () => {
  let mesh: RealMesh;
  beforeAll(async () => {
    mesh = await startRealMesh(engines!, "poison");
  }, 300_000);
  afterAll(async () => {
    await mesh?.[Symbol.asyncDispose]();
  }, 60_000);

  async function write(records: readonly PoisonRecord[]): Promise<void> {
    const producer = mesh.kafka.producer({ allowAutoTopicCreation: false });
    await producer.connect();
    try {
      const messages = records.map(({ key, value }) => ({
        key,
        value: value === null ? null : Buffer.from(value),
        partition: 0,
      }));
      await producer.send({ topic: mesh.names.topics.messages, messages });
    } finally {
      await producer.disconnect();
    }
  }

  /** Returns the number of records in the topic of messages. */
  async function recordsWritten(): Promise<number> {
    const admin = mesh.kafka.admin();
    await admin.connect();
    try {
      const ends = await admin.fetchTopicOffsets(mesh.names.topics.messages);
      return ends.reduce((sum, { high }) => sum + Number(high), 0);
    } finally {
      await admin.disconnect();
    }
  }

  /** Returns the stored values of the series: the expected result for windows. */
  async function storedPoison(): Promise<DeviceMessage[]> {
    const stored = mesh.db
      .collection<MessageDocument>(collections.messages)
      .find({ device_id: poisonSeries.deviceId });
    return (await stored.toArray()).map(({ device_id: deviceId, sensor, timestamp, value }) => ({
      deviceId,
      sensor,
      timestampMs: timestamp.getTime(),
      value: Number(value),
    }));
  }

  it("is counted by the windows if the raw store accepts it, and rejected otherwise; tasks keep running", async () => {
    // A sensor of a later version has no unit here to compare.
    const poison = poisonRecords().filter(({ key }) => {
      const identity = key === null ? undefined : parseIdentity(key);
      return identity === undefined || sensorByName(identity.sensor) !== undefined;
    });
    // Text that Spark cannot parse as JSON, UTF-16 and a byte order mark, makes its partial NaN, which marks the
    // window.
    const isPlain = ({ outcome, value }: PoisonRecord) =>
      outcome === "stored" &&
      typeof value === "string" &&
      /^[\s{]*"/.test(value) &&
      !value.startsWith("\ufeff");
    const taken = poison.filter(isPlain);
    expect(taken.length).toBeGreaterThan(2);
    await write(taken);
    await mesh.untilSealed();
    const first = await storedPoison();
    expect(first.length).toBe(taken.length);
    // No record was rejected, so no window is marked: these answers come from the window job's counts.
    expect(await mesh.db.collection(collections.duplicateWindows).countDocuments()).toBe(0);
    await expectAllFromWindows(mesh, first);
    expect(await differencesOf(mesh, first)).toEqual([]);

    using publisher = createPublisher(mesh.address);
    const good = Array.from(
      { length: 200 },
      (_, place): DeviceMessage => ({
        deviceId: `good.${place % 5}`,
        sensor: "humidity",
        timestampMs: Date.now() - place * 1000,
        value: place % 100,
      }),
    );
    await publisher.publish(good.slice(0, 100).map(readingOf));
    await write(poison.filter((record) => !isPlain(record)));
    await publisher.publish(good.slice(100).map(readingOf));
    await mesh.untilSealed();
    expect(await differencesOf(mesh, good)).toEqual([]);
    expect(await differencesOf(mesh, await storedPoison())).toEqual([]);
    await expectAllFromWindows(mesh, good);
    // Marked by the rejected records, then repaired.
    await expectAllFromWindows(mesh, await storedPoison());
    expect(await differencesOf(mesh, await storedPoison())).toEqual([]);

    const { status } = await mesh.query.getPipelineStatus({});
    const states = status?.connectors.flatMap(({ tasks }) => tasks.map(({ state }) => state)) ?? [];
    expect(states.length).toBeGreaterThan(1);
    expect(new Set(states)).toEqual(new Set(["RUNNING"]));
    const invalid = status?.deadLetters.find(({ kind }) => kind === "invalid")?.count;
    expect(Number(invalid)).toBeGreaterThanOrEqual(
      poison.filter(({ outcome }) => outcome === "dead letter").length,
    );
  }, 300_000);

  it("is exported to Prometheus by operator and aggregator, equal to the status", async () => {
    const { status } = await mesh.query.getPipelineStatus({});
    const operator = await scrape(mesh.services.get("operator").metricsAddress!);
    const counted = operator.by("devicemesh_operator_dead_letters_total", "reason");
    const kept = status?.deadLetters.filter(({ count }) => count > 0n) ?? [];
    expect(counted).toEqual(Object.fromEntries(kept.map(({ kind, count }) => [kind, Number(count)])));
    expect(counted.invalid).toBeGreaterThan(0);
    expect(operator.value("devicemesh_operator_dead_letter_lag_messages")).toBe(0);
    for (const { name, tasks, restarts } of status?.connectors ?? []) {
      const connector = { connector: name };
      expect(operator.value("devicemesh_operator_sink_lag_messages", connector)).toBeGreaterThanOrEqual(0);
      expect(operator.value("devicemesh_operator_connector_running", connector)).toBe(1);
      const running = { ...connector, state: "RUNNING" };
      expect(operator.value("devicemesh_operator_connector_tasks", running)).toBe(tasks.length);
      expect(operator.value("devicemesh_operator_task_restarts_total", connector)).toBe(Number(restarts));
    }

    const address = mesh.services.get("aggregator").metricsAddress!;
    const { value, by } = await scrape(address);
    expect(value("devicemesh_aggregator_active")).toBe(1);
    expect(value("devicemesh_aggregator_complete_through_age_seconds")).toBeLessThan(60);
    const { "10s": finest } = by("devicemesh_aggregator_frontier_age_seconds", "level");
    // Recently sealed data is in windows; the clock of the log and ours are the same here.
    expect(finest).toBeGreaterThan(0);
    expect(finest).toBeLessThan(120);
    const repaired = await mesh.db
      .collection(collections.duplicateWindows)
      .countDocuments({ repair: { $exists: true } });
    expect(value("devicemesh_aggregator_repairs_total")).toBeGreaterThanOrEqual(repaired);
    expect(repaired).toBeGreaterThan(0);
    expect(value("devicemesh_aggregator_dirty_windows")).toBe(0);

    // Readings, invalid records and ticks: the whole log, except for its last moments.
    const job = (reported: Scrape, name: string) =>
      reported.value(`devicemesh_aggregator_window_job_${name}`) ?? 0;
    const first = await scrape(address);
    await waitUntil(
      async () => job(await scrape(address), "batches_total") > job(first, "batches_total") + 1,
      {
        timeoutMs: 60_000,
        everyMs,
      },
    );
    const last = await scrape(address);
    const written = await recordsWritten();
    expect(job(last, "rows_total")).toBeLessThanOrEqual(written);
    expect(job(last, "rows_total")).toBeGreaterThan(written - 100);
    expect(job(last, "batch_seconds_count")).toBe(job(last, "batches_total"));
    expect([job(last, "rows_dropped_total"), job(last, "restarts_total")]).toEqual([0, 0]);
    expect(job(last, "lag_messages")).toBeLessThan(100);
  }, 120_000);

  it.each([
    ["operator", ["Operator"]],
    ["aggregator", ["Aggregator"]],
    ["ingest", ["Ingest", "Ingest over Kafka"]],
    ["generator", ["Generator"]],
    ["query", ["Query"]],
  ] as const)("%s exports every metric that docs/metrics.md explains, and no other", async (name, parts) => {
    const response = await fetch(`http://${mesh.services.get(name).metricsAddress}/metrics`);
    const reported = (await response.text()).match(/^# HELP (?!process_|nodejs_).*$/gm)?.sort();
    const explained = allMetrics
      .filter(({ who }) => who.startsWith("Every process") || (parts as readonly string[]).includes(who))
      .flatMap(({ definitions }) => Object.values(definitions))
      .map((metric) => `# HELP ${metric.name} ${metric.help}`);
    expect(reported).toEqual(explained.sort());
  });
});
