import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import {
  type DeviceMessage,
  identityOf,
  millisecondsFloor,
  protoTimestamp,
  type SensorName,
} from "@devicemesh/proto";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { createOracle } from "@devicemesh/query/testing/oracle/index";
import { describe, expect, it } from "vitest";
import { type MeshProcess, startMesh } from "../testing/mesh-process.ts";
import { createPublisher, readingOf } from "../testing/publisher.ts";

const startMs = Date.UTC(2026, 0, 1);
const kills = 20;
const unitReadings = 600;

/** Returns the unit with that number: ten devices, one reading a second each. */
function unit(number: number): DeviceMessage[] {
  return Array.from({ length: unitReadings }, (_, place) => ({
    deviceId: `kill-${place % 10}`,
    sensor: "temperature",
    timestampMs: startMs + (number * 60 + Math.floor(place / 10)) * 1000,
    value: Math.round(Math.sin(number * unitReadings + place) * 1000) / 100,
  }));
}

/** Returns the time this many seconds after the first reading, in ms. */
const at = (seconds: number): number => startMs + seconds * 1000;

const boundOf = (ms: number) => ({ ms, nanos: 0 });

async function storedReadings(mesh: MeshProcess): Promise<DeviceMessage[]> {
  const client = createClient(QueryService, createGrpcTransport({ baseUrl: `http://${mesh.query}` }));
  const stored: DeviceMessage[] = [];
  let pageToken = "";
  do {
    const page = await client.listReadings({ pageSize: 1000, pageToken });
    for (const { deviceId, sensor, timestamp, value } of page.readings) {
      stored.push({
        deviceId,
        sensor: sensor as SensorName,
        timestampMs: millisecondsFloor(timestamp ?? { seconds: 0n, nanos: 0 }),
        value,
      });
    }
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return stored;
}

describe("a mesh that is killed twenty times under load", () => {
  it("stores every acknowledged reading once, and no reading that was not sent", {
    // Three minutes at a load of 20.
    timeout: 900_000,
  }, async () => {
    using folder = temporaryFolder();
    const sent = new Map<string, DeviceMessage>();
    const acked = new Set<string>();
    let next = 0;
    let unfinished: number[] = [];

    async function publishUntilCut(address: string, onAck: () => void): Promise<void> {
      using publisher = createPublisher(address);
      for (;;) {
        const again = unfinished;
        const numbers = [...again, ...Array.from({ length: 4 - Math.min(4, again.length) }, () => next++)];
        unfinished = numbers;
        const outcomes = await Promise.allSettled(
          numbers.map(async (number) => {
            const messages = unit(number);
            for (const message of messages) sent.set(identityOf(message), message);
            await publisher.publish(messages.map(readingOf));
            for (const message of messages) acked.add(identityOf(message));
            onAck();
          }),
        );
        unfinished = numbers.filter((_, place) => outcomes[place]?.status === "rejected");
        if (unfinished.length > 0) return;
      }
    }

    for (let round = 0; round < kills; round++) {
      const mesh = await startMesh(folder.path);
      let acks = 0;
      // After a different number of acknowledgements each time, in the middle of the next units.
      const killAfter = 1 + ((round * 7) % 11);
      let killed: Promise<void> | undefined;
      // To both addresses that accept readings.
      await publishUntilCut(round % 2 === 0 ? mesh.query : mesh.ingest, () => {
        if (++acks === killAfter) killed = mesh.kill();
      });
      await killed;
    }
    // The kills must have interrupted work, or the test proves nothing.
    expect(unfinished.length).toBeGreaterThan(0);
    expect(acked.size).toBeGreaterThan(kills * unitReadings);

    const mesh = await startMesh(folder.path);
    const before = await storedReadings(mesh);
    const storedIdentities = before.map(identityOf);
    const stored = new Set(storedIdentities);
    expect(stored.size).toBe(storedIdentities.length);
    expect([...acked].filter((identity) => !stored.has(identity)).slice(0, 3)).toEqual([]);
    expect(before.filter((message) => sent.get(identityOf(message))?.value !== message.value)).toEqual([]);

    using publisher = createPublisher(mesh.ingest);
    for (const number of unfinished) await publisher.publish(unit(number).map(readingOf));
    const after = await storedReadings(mesh);
    expect(new Set(after.map(identityOf))).toEqual(new Set(sent.keys()));

    const client = createClient(QueryService, createGrpcTransport({ baseUrl: `http://${mesh.query}` }));
    const oracle = createOracle();
    oracle.accept([...sent.values()]);
    for (const question of [
      {},
      { since: at(75.5), to: at(3601.25) },
      { deviceIds: ["kill-3"], since: at(600) },
    ]) {
      const { deviceIds = [], since, to } = question;
      const bounds = { ...(since && { since: boundOf(since) }), ...(to && { to: boundOf(to) }) };
      const expected = oracle.aggregates({ deviceIds, sensors: [], ...bounds }, "series");
      const { rows } = await client.getAggregates({
        deviceIds,
        ...(since && { since: protoTimestamp(since) }),
        ...(to && { to: protoTimestamp(to) }),
      });
      expect(expected.kind === "answer" && expected.value.length).toBe(rows.length);
      for (const [place, row] of (expected.kind === "answer" ? expected.value : []).entries()) {
        const got = rows[place];
        expect([got?.deviceId, got?.count, got?.minimum, got?.maximum]).toEqual([
          row.deviceId,
          BigInt(row.count),
          row.minimum,
          row.maximum,
        ]);
        expect(Math.abs((got?.sum ?? Number.NaN) - row.sum)).toBeLessThanOrEqual(1e-12 * row.magnitude);
        expect(got?.standardDeviation).toBeCloseTo(row.standardDeviation, 9);
        expect(millisecondsFloor(got?.minimumAt ?? { seconds: 0n, nanos: 0 })).toBe(row.minimumAtMs);
        expect(got?.last?.value).toBe(row.lastValue);
      }
    }
    expect(await mesh.stop()).toBe(0);
  });
});
