import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { createConnectRest, replaySink } from "@devicemesh/operator";
import { collections, type DeadLetterDocument } from "@devicemesh/pipeline";
import type { DeviceMessage } from "@devicemesh/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { differencesOf, expectAllFromWindows, expectExact } from "../../testing/mesh/exact-sets.ts";
import { findPartitions } from "../../testing/mesh/partitions.ts";
import { type RealMesh, startRealMesh } from "../../testing/mesh/real-mesh.ts";
import { startSteadyLoad } from "../../testing/mesh/steady-load.ts";
import { everyMs } from "../../testing/mesh/waits.ts";
import { createPublisher, type Publisher, readingOf } from "../../testing/publisher.ts";

const engines = await testEngines();

describe.skipIf(engines === undefined)("the real mesh", () => {
  let mesh: RealMesh;
  let publisher: Publisher;
  beforeAll(async () => {
    mesh = await startRealMesh(engines!, "claims");
    publisher = createPublisher(mesh.address);
  }, 300_000);
  afterAll(async () => {
    publisher?.[Symbol.dispose]();
    await mesh?.[Symbol.asyncDispose]();
  }, 60_000);

  async function publish(messages: readonly DeviceMessage[]): Promise<void> {
    const { accepted } = await publisher.publish(messages.map(readingOf));
    expect(Number(accepted)).toBe(messages.length);
  }

  const deadLetters = (kinds: readonly string[], prefix: string) =>
    mesh.db
      .collection<DeadLetterDocument>(collections.deadLetters)
      .countDocuments({ kind: { $in: kinds }, key: { $regex: `^${prefix}` } } as object);

  const duplicateWindows = (prefix: string) =>
    mesh.db
      .collection(collections.duplicateWindows)
      .countDocuments({ device_id: { $regex: `^${prefix}[.]` } } as object);

  it("seals windows if one device sends and all other partitions stay idle", async () => {
    const devices = Array.from({ length: 40 }, (_, i) => `idle.${i}`);
    const partitions = await findPartitions(mesh, devices);
    const alone = devices.filter((device) => partitions.of.get(device) === partitions.of.get(devices[0]!));
    expect(alone.length).toBeLessThan(devices.length);
    const lonely = alone.flatMap((device) => hourOf(device, 20));
    const messages = [...partitions.sent.filter(({ deviceId }) => alone.includes(deviceId)), ...lonely];
    await publish(lonely);
    await mesh.untilSealed();
    await expectAllFromWindows(mesh, messages);
    expect(await differencesOf(mesh, messages)).toEqual([]);
  }, 300_000);

  it("stays exact when a client sends its whole last hour again, and repairs every window", async () => {
    // A reading every five seconds: two in each window, and no window without one.
    const messages = Array.from({ length: 5 }, (_, i) => hourOf(`again.${i}`, 720)).flat();
    await publish(messages);
    await mesh.untilSealed();
    await expectAllFromWindows(mesh, messages);

    // The same readings, a tenth of them with another value: the first one stored counts.
    const again = messages.map((message, place) =>
      place % 10 === 0 ? { ...message, value: message.value + 1 } : message,
    );
    await publish(again);
    // At any time: while the duplicates are being processed, while windows are dirty, while they are repaired.
    await waitUntil(
      async () => {
        expect(await differencesOf(mesh, messages)).toEqual([]);
        return (await deadLetters(["duplicate", "conflict"], "again[.]")) === again.length;
      },
      { timeoutMs: 120_000, everyMs, what: "every repeat is a dead letter" },
    );
    const windows = new Set(
      messages.map(({ deviceId, timestampMs }) => `${deviceId}|${Math.floor(timestampMs / 10_000)}`),
    );
    await waitUntil(async () => (await duplicateWindows("again")) === windows.size, {
      timeoutMs: 60_000,
      everyMs,
      what: "every window with a repeat is marked",
    });
    expect(await deadLetters(["conflict"], "again[.]")).toBe(messages.length / 10);
    await mesh.untilSealed();
    expect(await differencesOf(mesh, messages)).toEqual([]);
    await expectAllFromWindows(mesh, messages);
    expect(await differencesOf(mesh, messages)).toEqual([]);
    const { status } = await mesh.query.getPipelineStatus({});
    expect(Number(status?.repairedWindows)).toBeGreaterThanOrEqual(windows.size);
    expect(Number(status?.dirtyWindows)).toBe(0);
    expect(Number(status?.duplicates)).toBeGreaterThanOrEqual(messages.length * 0.9);
    expect(Number(status?.conflicts)).toBeGreaterThanOrEqual(messages.length / 10);
  }, 400_000);

  it("marks no window when the whole topic is replayed into the raw sink from offset 0, twice", async () => {
    const messages = Array.from({ length: 4 }, (_, i) => hourOf(`replayed.${i}`, 100)).flat();
    await publish(messages);
    await mesh.untilSealed();
    await expectAllFromWindows(mesh, messages);
    const before = await mesh.storedIdentities();
    const dirtyBefore = await duplicateWindows("replayed");
    for (let replay = 0; replay < 2; replay++) {
      await replaySink(createConnectRest({ url: mesh.engines.connectUrl }), mesh.names.connectors.messages);
      await mesh.untilComplete();
    }
    expect(await mesh.storedIdentities()).toEqual(before);
    expect(dirtyBefore).toBe(0);
    await waitUntil(async () => (await deadLetters(["redelivery"], "replayed[.]")) === messages.length, {
      timeoutMs: 60_000,
      everyMs,
      what: "every reading was delivered again, and its dead letter read",
    });
    await mesh.untilSealed();
    expect(await duplicateWindows("replayed")).toBe(0);
    expect(await deadLetters(["duplicate", "conflict", "invalid"], "replayed[.]")).toBe(0);
    await expectAllFromWindows(mesh, messages);
    expect(await differencesOf(mesh, messages)).toEqual([]);
  }, 400_000);

  it("answers exactly throughout two minutes without Spark, and catches up afterwards", async () => {
    const prefix = "two-minutes.";
    const ackedAt: { readonly ms: number; readonly count: number }[] = [];
    const load = startSteadyLoad({ target: mesh.address, prefix });
    load.onAck = (messages) => ackedAt.push({ ms: Date.now(), count: messages.length });
    const deviceIds = Array.from({ length: 50 }, (_, i) => `${prefix}${i}`);
    let asked = 0;
    try {
      await waitUntil(() => load.acked.size > 1000, { timeoutMs: 120_000, everyMs, what: "readings flow" });
      await mesh.engines.kill("spark");
      const backMs = Date.now() + 120_000;
      await waitUntil(
        async () => {
          const { rows, coverage } = await mesh.query.getAggregates({ deviceIds });
          const counted = rows.reduce((sum, { count }) => sum + Number(count), 0);
          const completeMs = Number(coverage?.completeThrough?.seconds ?? 0n) * 1000;
          const owed = ackedAt.filter(({ ms }) => ms < completeMs).reduce((sum, { count }) => sum + count, 0);
          expect(counted).toBeGreaterThanOrEqual(owed);
          expect(counted).toBeLessThanOrEqual(load.sent.size);
          asked++;
          return Date.now() > backMs;
        },
        { timeoutMs: 300_000, everyMs, what: "two minutes are over" },
      );
      await mesh.engines.start("spark");
      await load.finish();
    } finally {
      load.abort();
    }
    expect(asked).toBeGreaterThan(20);
    await mesh.untilComplete();
    await expectExact(mesh, load, prefix);
    await mesh.untilSealed();
    await expectAllFromWindows(mesh, load.sent.values());
    await expectExact(mesh, load, prefix);
  }, 900_000);
});

/** Readings of one device over the last hour, evenly. */
function hourOf(deviceId: string, count: number): DeviceMessage[] {
  const startMs = Date.now() - 3_600_000;
  return Array.from({ length: count }, (_, place) => ({
    deviceId,
    sensor: "temperature",
    timestampMs: startMs + Math.floor((place * 3_600_000) / count),
    value: 15 + ((place * 7919) % 997) / 100,
  }));
}
