import type { MessageBatch } from "@devicemesh/ingest";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import {
  builtInSensors,
  createSensorCatalog,
  type SensorCatalog,
  type SensorSpec,
  valueMagnitudeMax,
} from "@devicemesh/proto";
import { planRead } from "@devicemesh/query";
import { mergePartials, standardDeviationOf } from "@devicemesh/query/plan/merge";
import { DuckDBInstance } from "@duckdb/node-api";
import { describe, expect, it } from "vitest";
import { StoreOpenError } from "./database/duckdb-database.ts";
import { type EmbeddedStore, openEmbeddedStore } from "./duckdb-store.ts";

const nowMs = Date.UTC(2026, 10, 23);
const everything = { deviceIds: [], sensors: [] };
const signal = AbortSignal.timeout(60_000);

const mood: SensorSpec = {
  sensor: "mood",
  unit: "smiles",
  minimum: 0,
  maximum: 10,
  description: "",
  aliases: [],
};

function open(folder: string, catalog?: SensorCatalog): Promise<EmbeddedStore> {
  return openEmbeddedStore({ folder, clock: () => nowMs, catalog });
}

/** Returns a reading of each sensor by one device, with the codes of that catalog. */
function batchOf({ sensors, codeOf }: SensorCatalog, names: readonly string[]): MessageBatch {
  return {
    length: names.length,
    deviceIds: names.map(() => "a"),
    sensors,
    sensorCodes: Uint16Array.from(names, (name) => codeOf(name) as number),
    timestampsMs: new Float64Array(names.length).fill(nowMs),
    values: Float64Array.from(names, (_, place) => place + 0.5),
  };
}

/** Returns sensor → value of all stored readings. */
async function stored(store: EmbeddedStore): Promise<Record<string, number>> {
  const found = await store.readings.readReadings(
    { filter: everything, sinceMs: 0, toMs: nowMs * 2, descending: false, limit: 1000 },
    signal,
  );
  return Object.fromEntries(found.map(({ sensor, value }) => [sensor, value]));
}

/** Runs a statement on the closed store's file. */
async function run(folder: string, sql: string): Promise<void> {
  const instance = await DuckDBInstance.create(`${folder}/devicemesh.duckdb`);
  const connection = await instance.connect();
  await connection.run(sql);
  connection.closeSync();
  instance.closeSync();
}

describe("the embedded store with a catalog of sensors", () => {
  it("keeps stored readings when the catalog changes its order, and when it loses a sensor", async () => {
    using folder = temporaryFolder();
    const first = createSensorCatalog([...builtInSensors, mood]);
    {
      await using store = await open(folder.path, first);
      await store.log.append(batchOf(first, ["co2", "mood", "temperature", "pm10"]));
    }
    const expected = { co2: 0.5, mood: 1.5, temperature: 2.5, pm10: 3.5 };
    const [thermostat, ...others] = builtInSensors;
    const reversed = createSensorCatalog([thermostat as SensorSpec, mood, ...others.reverse()]);
    {
      await using store = await open(folder.path, reversed);
      expect(await stored(store)).toEqual(expected);
    }
    const without = createSensorCatalog();
    await using store = await open(folder.path, without);
    expect(await stored(store)).toEqual(expected);
    expect(without.get("mood")?.unit).toBe("smiles");
    const { series } = await store.readings.readSeries(
      { filter: { deviceIds: ["a"], sensors: ["mood"] }, limit: 10 },
      signal,
    );
    expect(series.map(({ sensor }) => sensor)).toEqual(["mood"]);
  });

  it("does not open if the unit of a stored sensor has changed, and names both units", async () => {
    using folder = temporaryFolder();
    const catalog = createSensorCatalog([...builtInSensors, mood]);
    {
      await using store = await open(folder.path, catalog);
      await store.log.append(batchOf(catalog, ["mood"]));
    }
    const changed = createSensorCatalog([...builtInSensors, { ...mood, unit: "%" }]);
    await expect(open(folder.path, changed)).rejects.toThrow(StoreOpenError);
    await expect(open(folder.path, changed)).rejects.toThrow("mood is stored in smiles, not in %");
    // Without readings a unit may change.
    const other = builtInSensors.map((spec) =>
      spec.sensor === "wind_speed" ? { ...spec, unit: "km/h" } : spec,
    );
    await using store = await open(folder.path, createSensorCatalog([...other, mood]));
    expect(await stored(store)).toEqual({ mood: 0.5 });
  });

  it("opens a folder of a version before catalogs, in the units of the contract", async () => {
    using folder = temporaryFolder();
    {
      await using store = await open(folder.path);
      await store.log.append(batchOf(createSensorCatalog(), ["humidity", "temperature"]));
    }
    await run(folder.path, "DROP TABLE sensor_units");
    const fahrenheit = builtInSensors.map((spec) =>
      spec.sensor === "temperature" ? { ...spec, unit: "°F" } : spec,
    );
    await expect(open(folder.path, createSensorCatalog(fahrenheit))).rejects.toThrow(
      "temperature is stored in °C, not in °F",
    );
    await using store = await open(folder.path);
    expect(await stored(store)).toEqual({ humidity: 0.5, temperature: 1.5 });
  });

  it("sets the unit of the catalog for a sensor that was stored without one, once", async () => {
    using folder = temporaryFolder();
    const open0 = createSensorCatalog(builtInSensors, { acceptsUnlisted: true });
    {
      await using store = await open(folder.path, open0);
      open0.addUnlisted("mood");
      await store.log.append(batchOf(open0, ["mood"]));
    }
    {
      await using store = await open(folder.path, createSensorCatalog([...builtInSensors, mood]));
      expect(await stored(store)).toEqual({ mood: 0.5 });
    }
    const changed = createSensorCatalog([...builtInSensors, { ...mood, unit: "%" }]);
    await expect(open(folder.path, changed)).rejects.toThrow("mood is stored in smiles, not in %");
  });

  it("answers by sensor over many devices for sensors of any catalog", async () => {
    using folder = temporaryFolder();
    const catalog = createSensorCatalog([...builtInSensors, mood]);
    await using store = await openEmbeddedStore({
      folder: folder.path,
      clock: () => nowMs,
      catalog,
      mergeFromSeries: 1,
    });
    const names = ["mood", "co2", "temperature"];
    await store.log.append(batchOf(catalog, names));
    const horizon = await store.readings.readHorizon(signal);
    const { plan } = planRead({ sinceMs: 0, toMs: nowMs * 2, levels: store.readings.levels, horizon });
    const { partials } = await store.readings.readPartials(
      {
        plan,
        filter: everything,
        mergeDevices: true,
      },
      signal,
    );
    expect(new Set(partials.map(({ sensor }) => sensor))).toEqual(new Set(names));
  });

  it("answers with finite figures for values of the largest magnitude, before and after they are folded", async () => {
    using folder = temporaryFolder();
    const catalog = createSensorCatalog([
      ...builtInSensors,
      { ...mood, minimum: -valueMagnitudeMax, maximum: valueMagnitudeMax },
    ]);
    let clockMs = nowMs;
    await using store = await openEmbeddedStore({
      folder: folder.path,
      clock: () => clockMs,
      elapsedMs: () => clockMs,
      catalog,
      windowMemoryMib: 0,
    });
    const count = 1000;
    await store.log.append({
      ...batchOf(catalog, Array(count).fill("mood")),
      timestampsMs: Float64Array.from({ length: count }, (_, place) => nowMs - place * 100),
      values: Float64Array.from(
        { length: count },
        (_, place) => (place % 2 === 0 ? 1 : -1) * valueMagnitudeMax,
      ),
    });
    for (const advanceMs of [0, 11_000, 700_000, 2 * 86_400_000]) {
      clockMs += advanceMs;
      await store.maintain();
      const horizon = await store.readings.readHorizon(signal);
      const { plan } = planRead({ sinceMs: 0, toMs: nowMs * 2, levels: store.readings.levels, horizon });
      const { partials } = await store.readings.readPartials({ plan, filter: everything }, signal);
      const total = mergePartials(partials);
      expect(total).toMatchObject({ count, sum: 0, minimum: -valueMagnitudeMax, maximum: valueMagnitudeMax });
      expect(standardDeviationOf(total) / valueMagnitudeMax).toBeCloseTo(1, 9);
    }
  });
});
