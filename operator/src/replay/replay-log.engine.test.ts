import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { collections } from "@devicemesh/pipeline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freshMesh, goodRecord, type MeshFixture, openMeshFixture } from "../../testing/mesh-fixture.ts";
import { configOf } from "../../testing/operator-fixture.ts";
import { replayLog } from "./replay-log.ts";

const engines = await testEngines();

describe.skipIf(!engines)("the log, stored again", () => {
  let mesh: MeshFixture;
  const lines: string[] = [];
  const again = (from: string): Promise<void> =>
    replayLog(configOf(mesh.options), from, { report: (line) => lines.push(line) });

  beforeAll(async () => {
    mesh = await openMeshFixture(freshMesh(engines!));
  });

  afterAll(() => mesh?.[Symbol.asyncDispose]());

  const stored = () => mesh.engines.db.collection(collections.messages).find().sort({ _id: 1 }).toArray();

  it("from the beginning restores all readings that the database lost, and reports progress", async () => {
    const records = Array.from({ length: 50 }, (_, n) => ({
      ...goodRecord("lost", n),
      partition: n % 2,
    }));
    await mesh.append(mesh.names.topics.messages, records);
    await mesh.sunk("messages");
    const before = await stored();
    await mesh.engines.db.collection(collections.messages).deleteMany({});
    await again("beginning");
    expect(await stored()).toEqual(before);
    expect(lines).toContain(`${mesh.names.connectors.messages}: 50 of 50 records`);
  });

  it("from a time on restores the readings that have arrived since, and no others", async () => {
    const [earlier] = await mesh.append(mesh.names.topics.messages, [goodRecord("since", 1)]);
    await mesh.sunk("messages");
    const arrived = (await stored()).find(({ offset }) => offset === earlier)!.arrived as Date;
    await mesh.append(mesh.names.topics.messages, [goodRecord("since", 2)]);
    await mesh.sunk("messages");
    await mesh.engines.db.collection(collections.messages).deleteMany({});
    await again(new Date(arrived.getTime() + 1).toISOString());
    expect((await stored()).map(({ _id }) => _id)).toEqual([goodRecord("since", 2).key]);
  });

  it("never skips records that a sink has not stored yet", async () => {
    await mesh.engines.rest.stop(mesh.names.connectors.messages);
    await mesh.append(mesh.names.topics.messages, [goodRecord("waiting", 1)]);
    await again(new Date(Date.now() + 3_600_000).toISOString());
    expect((await stored()).map(({ _id }) => _id)).toContain(goodRecord("waiting", 1).key);
  });

  it("rejects an invalid time, and a database without a record of its progress", async () => {
    await expect(again("yesterday")).rejects.toThrow(/--replay yesterday is neither/);
    await expect(again("restored")).rejects.toThrow(/has no record of its progress/);
  });
});
