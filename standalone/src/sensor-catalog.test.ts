import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { expect, it } from "vitest";
import { startTestMesh } from "../testing/test-mesh.ts";

type Mesh = { readonly query: string };

async function call(mesh: Mesh, method: string, body: object): Promise<Record<string, unknown>> {
  const response = await fetch(`http://${mesh.query}/devicemesh.v1.${method}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Record<string, unknown>;
}

function publish(mesh: Mesh, measurements: readonly object[]) {
  const timestamp = "2026-11-23T20:04:22Z";
  const readings = measurements.map((measurement, place) => ({
    deviceId: `d${place}`,
    timestamp,
    ...measurement,
  }));
  return call(mesh, "IngestService/PublishReadingBatch", { readings });
}

const named = (sensor: string, value: number) => ({ sensorValue: { sensor, value } });

it("accepts the sensors and bounds of --sensors, by name, alias and type, and answers with their units", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "sensors.yaml");
  writeFileSync(
    file,
    "sensors:\n  mood: {unit: smiles, minimum: 0, maximum: 10, aliases: [laune]}\n  temperature: {maximum: 1400}\n",
  );
  const mesh = await startTestMesh("--sensors", file);
  const answer = await publish(mesh, [
    named("mood", 3),
    named("laune", 4),
    named("co2", 400),
    { thermostat: { temperature: 900 } },
    named("temperature", 901),
    named("mood", 11),
    named("noidea", 1),
    { thermostat: { temperature: 1401 } },
  ]);
  expect(answer).toMatchObject({ accepted: "5", refused: "3" });
  expect(answer.refusedReadings).toMatchObject([
    { ordinal: "5", fieldPath: "sensor_value.value", ruleId: "double.gte_lte" },
    { ordinal: "6", fieldPath: "sensor_value.sensor", ruleId: "sensor.unknown" },
    { ordinal: "7", fieldPath: "thermostat.temperature", ruleId: "double.gte_lte" },
  ]);
  const { rows } = await call(mesh, "QueryService/GetAggregates", { groupBy: "GROUP_BY_SENSOR" });
  expect(rows).toMatchObject([
    { sensor: "co2", unit: "ppm", count: "1", average: 400 },
    { sensor: "mood", unit: "smiles", count: "2", average: 3.5 },
    { sensor: "temperature", unit: "°C", count: "2", maximum: 901 },
  ]);
});

it("accepts unknown sensors without a unit if configured, and keeps them after a restart that rejects new ones", async () => {
  using folder = temporaryFolder();
  const data = ["--data", folder.path] as const;
  const open = await startTestMesh(...data, "--unknown-sensors", "accept");
  expect(await publish(open, [named("mood", 3)])).toMatchObject({ accepted: "1" });
  await open.close();
  const mesh = await startTestMesh(...data);
  expect(await publish(mesh, [named("mood", 4)])).toMatchObject({ refused: "1" });
  const { series } = await call(mesh, "QueryService/ListSeries", {});
  expect(series).toMatchObject([{ deviceId: "d0", sensor: "mood", count: "1" }]);
});

it("names the file and the problem if --sensors cannot be used", async () => {
  await expect(startTestMesh("--sensors", "/nowhere/sensors.yaml")).rejects.toThrow(
    "--sensors: /nowhere/sensors.yaml cannot be read (ENOENT)",
  );
});
