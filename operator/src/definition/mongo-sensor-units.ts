import {
  changedUnits,
  collections,
  type FrontierDocument,
  type SensorUnit,
  type SettingsDocument,
} from "@devicemesh/pipeline";
import { builtInSensors } from "@devicemesh/proto";
import type { Db } from "mongodb";
import { changedSettings, differenceOf, type Part } from "./difference.ts";

/**
 * Compares the units of the catalog with those in which readings are stored. A changed unit of a sensor with stored
 * readings is rejected: stored values keep their meaning whatever the catalog contains later. A sensor that was stored
 * without a unit may get one, and a sensor that the catalog no longer has keeps its unit. Reads only.
 */
export async function inspectSensorUnits(
  db: Db,
  sensors: readonly SensorUnit[],
  signal?: AbortSignal,
): Promise<Part> {
  const what = "sensor units";
  const settings = db.collection<SettingsDocument>(collections.settings);
  const found = await settings.findOne({ _id: "mesh" }, { signal });
  const before = found?.sensor_units ?? builtInSensors;
  const stored: string[] = [];
  for (const { sensor, recorded, wanted } of changedUnits(sensors, before)) {
    if (!(await hasReadings(db, sensor, signal))) continue;
    stored.push(`${sensor} is stored in ${recorded}, not in ${wanted || "no unit"}`);
  }
  if (stored.length > 0) {
    const text = `${stored.join("; ")}: set the units back in the file of --sensors, add sensors of other names, or use another --topic-prefix and --mongodb-database`;
    return { what, difference: { kind: "refused", text }, apply: () => Promise.resolve() };
  }
  const recorded = new Map(before.map(({ sensor, unit }) => [sensor, unit]));
  const wanted = new Map([...recorded, ...sensors.map(({ sensor, unit }) => [sensor, unit] as const)]);
  async function apply(): Promise<void> {
    const units = [...wanted].map(([sensor, unit]) => ({ sensor, unit }));
    await settings.updateOne({ _id: "mesh" }, { $set: { sensor_units: units } });
  }
  if (!found?.sensor_units) return { what, difference: { kind: "create" }, apply };
  const changes = changedSettings(Object.fromEntries(recorded), Object.fromEntries(wanted));
  return { what, difference: differenceOf(changes), apply };
}

/** Returns the recorded units; undefined if none are. */
export async function readSensorUnits(db: Db): Promise<readonly SensorUnit[] | undefined> {
  const settings = db.collection<SettingsDocument>(collections.settings);
  return (await settings.findOne({ _id: "mesh" }, { projection: { sensor_units: 1 } }))?.sensor_units;
}

/** Whether a reading of the sensor is or was stored. The list of series lacks what arrived since the frontier. */
async function hasReadings(db: Db, sensor: string, signal?: AbortSignal): Promise<boolean> {
  const series = await db
    .collection(collections.series)
    .findOne({ sensor }, { projection: { _id: 1 }, signal });
  if (series) return true;
  const frontier = await db
    .collection<FrontierDocument>(collections.frontier)
    .findOne({ _id: "frontier" }, { signal });
  const since = frontier?.frontiers[0];
  const newest = await db
    .collection(collections.messages)
    .findOne({ ...(since && { arrived: { $gte: since } }), sensor }, { projection: { _id: 1 }, signal });
  return newest !== null;
}
