import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sensorNamePattern } from "./bounds.ts";
import { createSensorCatalog } from "./sensor-catalog.ts";
import { readSensorCatalog, SensorFileError } from "./sensor-catalog-file.ts";
import { parseSensorFile, problemText } from "./sensor-file.ts";
import { mergeSensors } from "./sensor-merge.ts";
import { foldedName } from "./sensor-names.ts";
import { builtInSensors, isTyped, type SensorSpec, sensors } from "./sensors.ts";

function merged(text: string): ReturnType<typeof mergeSensors> {
  const file = parseSensorFile(text);
  if (file.kind === "problems") throw new Error(file.problems.map(problemText).join("\n"));
  return mergeSensors(builtInSensors, file.entries);
}

function sensorsOf(text: string): readonly SensorSpec[] {
  const result = merged(text);
  if (result.kind === "problems") throw new Error(result.problems.map(problemText).join("\n"));
  return result.sensors;
}

function problemsOf(text: string): string[] {
  const result = merged(text);
  return result.kind === "problems" ? result.problems.map(problemText) : [];
}

describe("the built-in catalog", () => {
  it("begins with the sensors of the device types and has more than forty others", () => {
    expect(builtInSensors.slice(0, sensors.length)).toEqual(sensors);
    expect(builtInSensors.filter((spec) => !isTyped(spec)).length).toBeGreaterThan(40);
  });

  it("gives each sensor a unique valid name, a unit, a range and a description", () => {
    const names = builtInSensors.flatMap(({ sensor, aliases }) => [sensor, ...aliases].map(foldedName));
    for (const { sensor, unit, minimum, maximum, description } of builtInSensors) {
      expect(sensor).toMatch(sensorNamePattern);
      expect(
        [unit, description].every((text) => text.length > 0),
        sensor,
      ).toBe(true);
      expect(minimum, sensor).toBeLessThan(maximum);
    }
    const owners = builtInSensors.flatMap(({ sensor, aliases }) => [
      ...new Set([sensor, ...aliases].map(foldedName)),
    ]);
    expect(new Set(owners).size).toBe(owners.length);
    expect(names.length).toBeGreaterThanOrEqual(owners.length);
  });
});

describe("mergeSensors", () => {
  it("changes the bounds of any sensor, appends new sensors, and keeps all existing codes", () => {
    const all = sensorsOf(`sensors:
  temperature: {minimum: -200, maximum: 1400}
  mood: {unit: "1", minimum: 0, maximum: 10, aliases: [smile]}`);
    expect(all[0]).toEqual({ ...sensors[0], minimum: -200, maximum: 1400 });
    expect(all.slice(1, -1)).toEqual(builtInSensors.slice(1));
    expect(all.at(-1)).toEqual({
      sensor: "mood",
      unit: "1",
      minimum: 0,
      maximum: 10,
      description: "",
      aliases: ["smile"],
    });
  });

  it("requires unit and bounds for a new sensor, and bounds for a new unit", () => {
    expect(problemsOf("sensors: {mood: {maximum: 1}}")).toEqual([
      "line 1: sensor mood unit is required for a new sensor",
      "line 1: sensor mood minimum is required for a new sensor",
    ]);
    expect(problemsOf("sensors: {wind_speed: {unit: km/h, minimum: 0}}")).toEqual([
      "line 1: sensor wind_speed maximum must be given in the new unit",
    ]);
    expect(sensorsOf("sensors: {wind_speed: {unit: km/h, minimum: 0, maximum: 500}}")).toContainEqual(
      expect.objectContaining({ sensor: "wind_speed", unit: "km/h", maximum: 500 }),
    );
  });

  it("rejects other units for sensors of the contract, and a minimum above the maximum", () => {
    expect(problemsOf("sensors: {temperature: {unit: K, minimum: 0, maximum: 400}}")).toEqual([
      "line 1: sensor temperature unit is °C in the contract and cannot change: add a sensor of another name",
    ]);
    expect(problemsOf("sensors: {co2: {minimum: 200000}}")).toEqual([
      "line 1: sensor co2 minimum must be less than maximum, and 200000 is not less than 100000",
    ]);
  });

  it("lets a user's name replace an alias of another sensor, but not a name or another new name", () => {
    const all = sensorsOf('sensors: {lux: {unit: "1", minimum: 0, maximum: 9, aliases: [P1]}}');
    const catalog = createSensorCatalog(all);
    expect(["lux", "P1", "light_level", "pm10"].map((name) => catalog.find(name)?.sensor)).toEqual([
      "lux",
      "lux",
      "illuminance",
      "pm10",
    ]);
    expect(problemsOf("sensors: {temperature: {aliases: [pressure]}}")).toEqual([
      'line 1: sensor temperature aliases "pressure" already means the sensor pressure',
    ]);
    expect(
      problemsOf(`sensors:
  x: {unit: m, minimum: 0, maximum: 1, aliases: [z]}
  y: {unit: m, minimum: 0, maximum: 1, aliases: [Z]}`),
    ).toEqual(['line 3: sensor y aliases "Z" already means the sensor x']);
  });
});

describe("a catalog", () => {
  it("matches a user's text loosely, and a device's name only exactly", () => {
    const catalog = createSensorCatalog();
    for (const text of ["CO2", " carbon-dioxide ", "Carbon Dioxide", "eCO2"]) {
      expect(catalog.find(text)?.sensor).toBe("co2");
    }
    expect(catalog.codeOfNamed("carbon_dioxide")).toBe(catalog.codeOf("co2"));
    expect(catalog.codeOfNamed("CO2")).toBeUndefined();
    expect(catalog.codeOf("carbon_dioxide")).toBeUndefined();
  });

  it("adds each unlisted sensor once, up to its limit, without changing other codes", () => {
    const catalog = createSensorCatalog(builtInSensors, { unlistedMax: 2 });
    const before = [...catalog.sensors];
    expect(catalog.addUnlisted("co2")).toBe(catalog.codeOf("co2"));
    const code = catalog.addUnlisted("mood");
    expect(code).toBe(before.length);
    expect(catalog.addUnlisted("mood")).toBe(code);
    // A stored sensor whose name has become an alias keeps its own series.
    expect(catalog.addStored("carbon_dioxide", "mg/m³")).toBe(before.length + 1);
    expect(catalog.addUnlisted("third")).toBeUndefined();
    expect(catalog.sensors.slice(0, before.length)).toEqual(before);
    expect(catalog.get("carbon_dioxide")?.unit).toBe("mg/m³");
    expect(catalog.codeOfNamed("carbon_dioxide")).toBe(catalog.codeOf("co2"));
    expect(catalog.listed).toBe(builtInSensors.length);
  });

  it("resolves each name and alias of any file to its sensor", () => {
    const name = fc.stringMatching(/^[a-c]{1,2}$/);
    const specs = fc.uniqueArray(fc.tuple(name, fc.array(name, { maxLength: 2 })), {
      selector: ([first]) => first,
    });
    fc.assert(
      fc.property(specs, (rows) => {
        const file = {
          sensors: Object.fromEntries(
            rows.map(([sensor, aliases]) => [sensor, { unit: "m", minimum: 0, maximum: 1, aliases }]),
          ),
        };
        const result = merged(JSON.stringify(file));
        if (result.kind === "problems") return;
        const catalog = createSensorCatalog(result.sensors);
        for (const [sensor, aliases] of rows) {
          for (const each of [sensor, ...aliases]) expect(catalog.find(each)?.sensor).toBe(sensor);
        }
      }),
    );
  });
});

describe("readSensorCatalog", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "sensors-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function fileOf(name: string, content: string | Uint8Array): string {
    const file = join(folder, name);
    writeFileSync(file, content);
    return file;
  }

  it("is the built-in catalog without a file, and includes the sensors of a given file", () => {
    expect(readSensorCatalog(undefined).sensors).toEqual(builtInSensors);
    const file = fileOf("more.json", '{"sensors": {"mood": {"unit": "1", "minimum": 0, "maximum": 1}}}');
    expect(readSensorCatalog(file).get("mood")?.maximum).toBe(1);
  });

  it("names the file and every problem in it", () => {
    const file = fileOf("bad.yaml", "sensors:\n  mood: {unit: m}\n  temperature: {unit: K}\n");
    expect(() => readSensorCatalog(file)).toThrow(SensorFileError);
    expect(() => readSensorCatalog(file)).toThrow(
      `${file} is not a sensor catalog:\n  line 2: sensor mood minimum is required for a new sensor\n  line 2:`,
    );
    expect(() => readSensorCatalog(join(folder, "none"))).toThrow(/none cannot be read \(ENOENT\)/);
    expect(() => readSensorCatalog(fileOf("latin", Uint8Array.of(0xe4)))).toThrow("not text in UTF-8");
    expect(() => readSensorCatalog("/dev/zero")).toThrow("more than 1024 KiB");
  });

  it("names the problems of the form and of the entries together, by line", () => {
    const file = join(folder, "mixed.yaml");
    writeFileSync(
      file,
      "sensors:\n  kiln: {unit: °C, minimum: 5}\n  te mp: {}\n  temperature: {unit: °F}\n  mood: {minimum: x}\n",
    );
    expect(() => readSensorCatalog(file)).toThrow(
      /line 2: sensor kiln maximum is required.*\n +line 3: sensor te mp the name.*\n +line 4: sensor temperature unit is °C[\s\S]*line 5: sensor mood minimum must be a number/,
    );
  });
});
