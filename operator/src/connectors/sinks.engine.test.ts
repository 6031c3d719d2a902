import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { collections, connectorGroup } from "@devicemesh/pipeline";
import { sensors } from "@devicemesh/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freshMesh, goodRecord, type MeshFixture, openMeshFixture } from "../../testing/mesh-fixture.ts";
import { poisonRecords } from "../../testing/poison-records.ts";
import { readGroupProgress } from "../maintenance/kafka-progress.ts";
import { replaySink } from "../replay/replay-sink.ts";

const engines = await testEngines();

describe.skipIf(!engines)("the sinks of a mesh", () => {
  let mesh: MeshFixture;

  beforeAll(async () => {
    mesh = await openMeshFixture(freshMesh(engines!));
  });

  afterAll(() => mesh?.[Symbol.asyncDispose]());

  const stored = (collection: string) =>
    mesh.engines.db.collection(collection).find().sort({ _id: 1 }).toArray();

  /** Returns the number of records in the topic of dead letters. */
  async function refused(sink: "messages" | "windows"): Promise<number> {
    const { messageDeadLetters, windowDeadLetters } = mesh.names.topics;
    const topic = sink === "messages" ? messageDeadLetters : windowDeadLetters;
    return (await readGroupProgress(mesh.engines.withAdmin, "unknown", topic)).lag;
  }

  /**
   * A worker reports a task some time after it has started it, so the other task of a sink that has stored everything
   * may be missing from the state. A task that has failed stays FAILED: nothing restarts it here.
   */
  async function expectRunning(): Promise<void> {
    for (const name of Object.values(mesh.names.connectors)) {
      const states = async (): Promise<readonly string[]> =>
        ((await mesh.engines.rest.readState(name))?.tasks ?? []).map(({ state }) => state);
      await waitUntil(async () => {
        const reported = await states();
        return reported.length === 2 && !reported.includes("UNASSIGNED");
      });
      expect(await states()).toEqual(["RUNNING", "RUNNING"]);
    }
  }

  it("store the valid records beside invalid ones, reject the invalid ones, and keep running", async () => {
    const poison = poisonRecords();
    const records = poison.flatMap(({ key, value }, n) => [goodRecord("good", n), { key, value }]);
    const offsets = await mesh.append(mesh.names.topics.messages, records);
    await mesh.sunk("messages");
    const byOffset = new Map(
      (await stored(collections.messages)).map((document) => [Number(document.offset), document]),
    );
    const good = [...byOffset.values()].filter(({ device_id }) => device_id === "good");
    expect(good.length).toBe(poison.length);
    expect(good.every(({ value }) => typeof value === "number")).toBe(true);
    const outcomes = poison.map(({ name }, n) => [name, byOffset.has(offsets[2 * n + 1]!)]);
    expect(outcomes).toEqual(poison.map(({ name, outcome }) => [name, outcome === "stored"]));
    expect(await refused("messages")).toBe(poison.filter(({ outcome }) => outcome === "dead letter").length);
    await expectRunning();
  });

  it("store everything that ingest accepts, with the append time and the position in the log", async () => {
    const ids = ["a", "0", "Z.z_", "d".repeat(128), "a:b-c.d"];
    const times = [
      Date.UTC(2000, 0, 1),
      Date.UTC(2026, 1, 28, 23, 59, 59, 999),
      Date.UTC(2099, 11, 31, 23, 59, 59, 999),
    ];
    const values = (minimum: number, maximum: number): number[] => [
      minimum,
      maximum,
      minimum + (maximum - minimum) / 3,
      ...(minimum <= 0 ? [0, Number.MIN_VALUE, -0] : []),
    ];
    const messages = sensors.flatMap(({ sensor, minimum, maximum }) =>
      ids.flatMap((deviceId) =>
        times.flatMap((timeMs) =>
          values(minimum, maximum).map((value, n) => ({
            device_id: `${deviceId}`,
            timestamp: new Date(timeMs - (timeMs % 1000 === 999 ? n : -n)).toISOString(),
            sensor,
            value,
          })),
        ),
      ),
    );
    const records = messages.map((message) => ({
      key: `${message.device_id}|${message.sensor}|${message.timestamp}`,
      value: JSON.stringify(message),
      partition: 1,
    }));
    const before = await refused("messages");
    const sentMs = Date.now();
    const offsets = await mesh.append(mesh.names.topics.messages, records);
    await mesh.sunk("messages");
    const found = await mesh.engines.db
      .collection<{ _id: string; value: number; offset: number; arrived: Date; timestamp: Date }>(
        collections.messages,
      )
      .find({ _id: { $in: records.map(({ key }) => key) } })
      .toArray();
    const byId = new Map(found.map((document) => [document._id, document]));
    for (const [n, message] of messages.entries()) {
      expect(byId.get(records[n]!.key)).toMatchObject({
        device_id: message.device_id,
        sensor: message.sensor,
        timestamp: new Date(message.timestamp),
        // JSON has no negative zero.
        value: message.value + 0,
        offset: offsets[n],
      });
    }
    for (const { arrived } of found) expect(Math.abs(arrived.getTime() - sentMs)).toBeLessThan(60_000);
    expect(await refused("messages")).toBe(before);
  });

  it("keep the first of two messages of one identity, and change nothing when the topic is replayed twice", async () => {
    const { messages } = mesh.names.topics;
    await mesh.append(messages, [
      goodRecord("twice", 1, 1),
      goodRecord("twice", 1, 2),
      goodRecord("twice", 2, 3),
    ]);
    await mesh.append(messages, [goodRecord("twice", 1, 4)]);
    await mesh.sunk("messages");
    const first = await stored(collections.messages);
    expect(first.filter(({ device_id }) => device_id === "twice").map(({ value }) => value)).toEqual([1, 3]);
    for (let times = 0; times < 2; times += 1) {
      const before = await refused("messages");
      await replaySink(mesh.engines.rest, mesh.names.connectors.messages);
      await mesh.sunk("messages");
      await waitUntil(async () => (await refused("messages")) >= before + first.length);
      expect(await stored(collections.messages)).toEqual(first);
    }
    await expectRunning();
  });

  it("have written every dead letter before they commit the offset after it", async () => {
    const { withAdmin } = mesh.engines;
    const { messages } = mesh.names.topics;
    const group = connectorGroup(mesh.names.connectors.messages);
    await mesh.append(messages, [goodRecord("again", 0)]);
    await mesh.sunk("messages");
    for (let round = 0; round < 5; round += 1) {
      const [end, known] = [await readGroupProgress(withAdmin, group, messages), await refused("messages")];
      await mesh.append(
        messages,
        Array.from({ length: 500 }, () => goodRecord("again", 0)),
      );
      await waitUntil(
        async () => {
          const { committed } = await readGroupProgress(withAdmin, group, messages);
          // Read afterwards: everything that the commit implies must be there by now.
          expect(await refused("messages")).toBeGreaterThanOrEqual(known + committed - end.committed);
          return committed === end.committed + 500;
        },
        { timeoutMs: 30_000 },
      );
    }
  });

  it("store partials with dates, keep the first of a key, and lose no record beside a rejected one", async () => {
    const { windows } = mesh.names.topics;
    const startMs = Date.UTC(2026, 10, 23, 20);
    const partial = (n: number, changes: Readonly<Record<string, unknown>> = {}) => {
      const segmentMs = startMs + n * 10_000;
      const [window, segment] = [startMs, segmentMs].map((ms) => new Date(ms).toISOString());
      return {
        key: `a|temperature|${window}|${segment}`,
        value: JSON.stringify({
          device_id: "a",
          sensor: "temperature",
          window_start: startMs,
          segment_start: segmentMs,
          count: 3,
          sum: 6,
          minimum: 1,
          minimum_at: startMs + 1,
          maximum: 3.5,
          maximum_at: startMs + 3,
          first_at: startMs + 1,
          first_value: 1,
          last_at: startMs + 3,
          last_value: 3.5,
          m2: 3.25,
          ...changes,
        }),
      };
    };
    const wrong = [
      partial(5, { count: "3" }),
      partial(6, { m2: -1 }),
      partial(7, { segment_start: startMs }),
      partial(8, { minimum_at: "2026-11-23" }),
      { key: "poison", value: "poison" },
    ];
    await mesh.append(windows, [
      ...[0, 1].map((n) => partial(n)),
      ...wrong,
      ...[2, 3].map((n) => partial(n)),
      partial(0, { count: 4 }),
      { key: "tick", value: null },
    ]);
    await mesh.sunk("windows");
    const found = await stored(collections.windows);
    expect(found.map(({ segment_start, count }) => [segment_start, Number(count)])).toEqual(
      [0, 1, 2, 3].map((n) => [new Date(startMs + n * 10_000), 3]),
    );
    expect(found[1]).toMatchObject({
      window_start: new Date(startMs),
      minimum_at: new Date(startMs + 1),
      maximum_at: new Date(startMs + 3),
      first_at: new Date(startMs + 1),
      last_at: new Date(startMs + 3),
      m2: 3.25,
    });
    // The second partial of the first key as well.
    expect(await refused("windows")).toBe(wrong.length + 1);
    await expectRunning();
  });
});
