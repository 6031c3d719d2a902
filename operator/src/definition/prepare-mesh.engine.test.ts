import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { collections, partialsCollection, type SettingsDocument } from "@devicemesh/pipeline";
import { builtInSensors } from "@devicemesh/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freshMesh } from "../../testing/mesh-fixture.ts";
import { type MeshOptions, meshDefinition, prepareMesh, removeMesh } from "../../testing/prepare-mesh.ts";
import { type MeshEngines, openEngines } from "../mesh-engines.ts";
import { anyDiffers, MeshRefusedError, type Part, planLines } from "./difference.ts";
import { applyParts, inspectMesh } from "./inspect-mesh.ts";
import type { MeshDefinition } from "./mesh-definition.ts";

const given = await testEngines();

describe.skipIf(!given)("making a mesh", () => {
  let options: MeshOptions;
  let engines: MeshEngines;

  beforeAll(() => {
    options = freshMesh(given!);
    engines = openEngines(options, options.database);
  });

  afterAll(async () => {
    await engines?.[Symbol.asyncDispose]();
    if (options) await removeMesh(options);
  });

  const inspect = (changes: Partial<MeshDefinition> = {}): Promise<readonly Part[]> =>
    inspectMesh(engines, { ...meshDefinition(options), ...changes });
  const plan = async (changes: Partial<MeshDefinition> = {}): Promise<string[]> =>
    planLines(await inspect(changes)).filter((line) => !line.startsWith("="));

  it("is planned without changing anything", async () => {
    const lines = await plan();
    expect(lines.length).toBeGreaterThan(20);
    expect(lines.every((line) => line.startsWith("+ "))).toBe(true);
    expect(await plan()).toEqual(lines);
  });

  it("leaves no difference, and can be repeated", async () => {
    await prepareMesh(options);
    expect(await plan()).toEqual([]);
    await prepareMesh(options);
    expect(anyDiffers(await inspect())).toBe(false);
  });

  it("uses the log's append time for messages and windows, and the time of the rejected record for dead letters", async () => {
    const { topics } = meshDefinition(options).names;
    const types = await engines.withAdmin(async (admin) => {
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: Object.values(topics).map((name) => ({ type: 2, name })),
      });
      return resources.map(({ resourceName, configEntries }) => [
        resourceName,
        configEntries.find(({ configName }) => configName === "message.timestamp.type")?.configValue,
      ]);
    });
    expect(new Map(types as [string, string][])).toEqual(
      new Map([
        [topics.messages, "LogAppendTime"],
        [topics.windows, "LogAppendTime"],
        [topics.messageDeadLetters, "CreateTime"],
        [topics.windowDeadLetters, "CreateTime"],
        [topics.retention, "LogAppendTime"],
      ]),
    );
  });

  it("changes the settings that may change, and keeps settings that others have made", async () => {
    const { messages } = meshDefinition(options).names.topics;
    await engines.withAdmin((admin) =>
      admin.alterConfigs({
        validateOnly: false,
        resources: [{ type: 2, name: messages, configEntries: [{ name: "segment.ms", value: "3600000" }] }],
      }),
    );
    const retention = { rawMs: 86_400_000, levelsMs: [undefined, undefined, undefined] };
    const changed = { retainLogMs: 86_400_000, retention, sinkTasks: 1 };
    const lines = await plan(changed);
    expect(lines).toEqual(
      expect.arrayContaining([
        `~ topic ${messages}: would be changed`,
        "    retention.ms: 604800000 -> 86400000",
        "    message.timestamp.type: CreateTime -> LogAppendTime",
        "    retain_raw_ms: null -> 86400000",
        "    tasks.max: 2 -> 1",
      ]),
    );
    await applyParts(await inspect(changed));
    expect(await plan(changed)).toEqual([]);
    const { resources } = await engines.withAdmin((admin) =>
      admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: 2, name: messages, configNames: ["segment.ms"] }],
      }),
    );
    expect(resources[0]?.configEntries[0]?.configValue).toBe("3600000");
    await prepareMesh(options);
    expect(await plan()).toEqual([]);
  });

  it("repairs a manual change", async () => {
    const { db } = engines;
    await db.command({ collMod: collections.messages, validator: {} });
    await db.collection(collections.messages).dropIndex("arrived");
    await db.collection(partialsCollection(1, 600_000)).drop();
    await engines.rest.remove(meshDefinition(options).names.connectors.windows);
    expect((await plan()).length).toBeGreaterThan(5);
    await prepareMesh(options);
    expect(await plan()).toEqual([]);
  });

  it("rejects other partitions, windows and segments, names the solution, and changes nothing", async () => {
    const definition = meshDefinition(options);
    const others: [Partial<MeshDefinition>, string][] = [
      [{ partitions: 3 }, "use --partitions 2"],
      [{ levels: [{ windowMs: 5000, segmentMs: 10_000 }] }, "--window 10000ms --segment 10000ms"],
      [{ levels: [{ windowMs: 10_000, segmentMs: 5000 }] }, "--window 10000ms --segment 10000ms"],
    ];
    for (const [other, fix] of others) {
      const parts = await inspect({ ...other, retainLogMs: 1 });
      const failed = applyParts(parts);
      await expect(failed).rejects.toThrow(MeshRefusedError);
      await expect(failed).rejects.toThrow(fix);
      expect(planLines(await inspectMesh(engines, definition)).every((line) => line.startsWith("= "))).toBe(
        true,
      );
    }
  });

  it("rejects another unit for a sensor with stored readings, and changes that of any other sensor", async () => {
    const { db } = engines;
    const withUnit = (sensor: string, unit: string) => ({
      sensors: builtInSensors.map((one) => (one.sensor === sensor ? { ...one, unit } : one)),
    });
    const arrived = new Date();
    const timestamp = "2026-11-23T20:04:22.000Z";
    await db.collection<{ _id: string }>(collections.messages).insertOne({
      _id: `a|temperature|${timestamp}`,
      ...{
        device_id: "a",
        sensor: "temperature",
        timestamp: new Date(timestamp),
        value: 0.5,
        arrived,
        offset: 0,
      },
    });
    const refused = applyParts(await inspect(withUnit("temperature", "°F")));
    await expect(refused).rejects.toThrow(MeshRefusedError);
    await expect(refused).rejects.toThrow("sensor units: temperature is stored in °C, not in °F");
    expect(await plan()).toEqual([]);
    expect(await plan(withUnit("wind_speed", "kn"))).toEqual([
      "~ sensor units: would be changed",
      "    wind_speed: m/s -> kn",
    ]);
    await applyParts(await inspect(withUnit("wind_speed", "kn")));
    expect(await plan(withUnit("wind_speed", "kn"))).toEqual([]);
    const { sensor_units: units, partitions } = (await db
      .collection<SettingsDocument>(collections.settings)
      .findOne({ _id: "mesh" })) as SettingsDocument;
    expect(units).toContainEqual({ sensor: "wind_speed", unit: "kn" });
    expect(partitions).toBe(2);
    await applyParts(await inspect());
  });
});
