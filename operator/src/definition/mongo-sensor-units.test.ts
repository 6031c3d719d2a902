import { startFakeMongo } from "@devicemesh/pipeline/testing/mongo-server-fixture";
import { builtInSensors } from "@devicemesh/proto";
import { type Document, MongoClient } from "mongodb";
import { describe, expect, it } from "vitest";
import type { Difference } from "./difference.ts";
import { inspectSensorUnits } from "./mongo-sensor-units.ts";

const mood = { sensor: "mood", unit: "smiles" };
const inPercent = [...builtInSensors, { sensor: "mood", unit: "%" }];
const recorded = { settings: [{ _id: "mesh", sensor_units: [...builtInSensors, mood] }] };

/** Returns the difference of a catalog from a database with these documents. */
async function differenceWith(
  sensors: Parameters<typeof inspectSensorUnits>[1],
  documents: Readonly<Record<string, readonly object[]>>,
): Promise<Difference> {
  const mongo = await startFakeMongo(0, documents as Record<string, Document[]>);
  const client = new MongoClient(`mongodb://127.0.0.1:${mongo.port}`);
  try {
    return (await inspectSensorUnits(client.db("mesh"), sensors)).difference;
  } finally {
    await client.close();
    await mongo.stop();
  }
}

describe("the units of the sensors of a mesh", () => {
  it("are recorded in a new mesh", async () => {
    expect(await differenceWith(builtInSensors, {})).toEqual({ kind: "create" });
    expect(await differenceWith([...builtInSensors, mood], recorded)).toEqual({ kind: "same" });
  });

  it.each([
    ["in a registered series", { series: [{ _id: "a|mood" }] }],
    ["since the frontier", { processed_messages: [{ _id: "a|mood|2026-11-23T20:04:22.000Z" }] }],
  ])("cannot change for a sensor with a reading %s", async (_, stored) => {
    const difference = await differenceWith(inPercent, { ...recorded, ...stored });
    expect(difference).toMatchObject({
      kind: "refused",
      text: expect.stringMatching(/^mood is stored in smiles, not in %: set the units back in .*--sensors/),
    });
  });

  it("may change for a sensor without readings", async () => {
    expect(await differenceWith(inPercent, recorded)).toEqual({
      kind: "change",
      changes: [{ setting: "mood", from: "smiles", to: "%" }],
    });
  });

  it("stay those of the built-in catalog in a mesh that has not recorded them", async () => {
    const fahrenheit = builtInSensors.map((one) =>
      one.sensor === "temperature" ? { ...one, unit: "°F" } : one,
    );
    const older = { settings: [{ _id: "mesh" }], series: [{ _id: "a|temperature" }] };
    expect(await differenceWith(fahrenheit, older)).toMatchObject({
      kind: "refused",
      text: expect.stringContaining("temperature is stored in °C, not in °F"),
    });
  });

  it("are recorded for a sensor that had none, and kept for a sensor that the catalog no longer has", async () => {
    const settings = [{ _id: "mesh", sensor_units: [...builtInSensors, { ...mood, unit: "" }] }];
    const series = [{ _id: "a|mood" }];
    expect(await differenceWith(inPercent, { settings, series })).toMatchObject({
      changes: [{ setting: "mood", from: "", to: "%" }],
    });
    expect(await differenceWith(builtInSensors, { ...recorded, series })).toEqual({ kind: "same" });
  });
});
