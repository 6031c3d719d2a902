import { collections, type MessageDocument, parseIdentity } from "@devicemesh/chain";
import { testEngines } from "@devicemesh/engines/testing";
import { type PoisonRecord, poisonRecords, poisonSeries } from "@devicemesh/operator";
import { type DeviceMessage, sensorByName } from "@devicemesh/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPublisher, readingOf } from "../publisher.ts";
import { differencesOf, expectAllFromWindows } from "./exact-sets.ts";
import { type RealMesh, startRealMesh } from "./real-mesh.ts";

const engines = await testEngines();

// Whoever can write to the topic may write what no ingest would. The raw store and the window job are two
// readers of the same records: they must come to the same, or the store's refusal must mark the window.
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

  /** What the raw store holds of the poisoned series: the truth that windows are held to. */
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

  it("is counted by the windows where the raw store takes it, and refused where it does not; tasks run on", async () => {
    // A sensor of a later version has no unit here to compare.
    const poison = poisonRecords().filter(({ key }) => {
      const identity = key === null ? undefined : parseIdentity(key);
      return identity === undefined || sensorByName(identity.sensor) !== undefined;
    });
    // Text that Spark cannot read as JSON, UTF-16 and a byte order mark, spoils its partial on purpose: that marks the window.
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
    // Nothing was refused, so nothing is marked: these answers come from what the window job counted.
    expect(await mesh.db.collection(collections.windowRepeats).countDocuments()).toBe(0);
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
    // Marked by what was refused, then repaired.
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
});
