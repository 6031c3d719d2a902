import { catalogSensorsMax, foldedName } from "./sensor-names.ts";
import { builtInSensors, type SensorName, type SensorSpec } from "./sensors.ts";

/**
 * The sensors that a server knows. A sensor's place in `sensors` is its code in columns; codes are given for the life of
 * a process and stored nowhere. The sensors of the contract's device types come first, in the order of
 * Reading.measurement; what is added later comes last, so that a code never changes its meaning.
 */
export type SensorCatalog = {
  /** By code. Grows by unlisted sensors only. */
  readonly sensors: readonly SensorSpec[];
  /** The first so many are listed: in the built-in catalog or a user's file. */
  readonly listed: number;
  /** Whether ingest accepts readings of sensors that are not listed. */
  readonly acceptsUnlisted: boolean;
  /** The code of the sensor of exactly that name, or undefined. */
  codeOf(name: string): number | undefined;
  /** The code of the sensor that a device means by that name: its name or an alias; or undefined. */
  codeOfNamed(name: string): number | undefined;
  /** The sensor of exactly that name, or undefined. */
  get(name: string): SensorSpec | undefined;
  /** The unit of the sensor of exactly that name; empty if it is not known. */
  unitOf(name: string): string;
  /**
   * The listed sensor that a person means: its name or an alias in any case, with `_`, `-`, `.` and blanks all the
   * same; or undefined.
   */
  find(text: string): SensorSpec | undefined;
  /**
   * The code of the sensor of exactly that name, which is added without unit and bounds if no sensor has it; undefined
   * if there are `unlistedMax` already that are not listed. The name must keep the contract's pattern.
   */
  addUnlisted(name: string): number | undefined;
  /** The same for a sensor that a store holds, in the unit that it was stored in; however many there are. */
  addStored(name: string, unit: string): number;
};

/** How many sensors that are not listed a catalog takes by default. */
export const defaultUnlistedMax = 1000;

/** Makes a catalog of these sensors, those of the device types first. */
export function createSensorCatalog(
  listed: readonly SensorSpec[] = builtInSensors,
  options: { readonly acceptsUnlisted?: boolean; readonly unlistedMax?: number } = {},
): SensorCatalog {
  const { acceptsUnlisted = false, unlistedMax = defaultUnlistedMax } = options;
  const sensors = [...listed];
  const codes = new Map(sensors.map(({ sensor }, code) => [sensor, code]));
  const meant = new Map(codes);
  const found = new Map<string, SensorSpec>();
  for (const [code, spec] of sensors.entries()) {
    for (const name of [spec.sensor, ...spec.aliases]) {
      if (!meant.has(name)) meant.set(name, code);
      const folded = foldedName(name);
      if (!found.has(folded)) found.set(folded, spec);
    }
  }
  const codeOf = (name: string): number | undefined => codes.get(name);

  function get(name: string): SensorSpec | undefined {
    const code = codes.get(name);
    return code === undefined ? undefined : sensors[code];
  }

  function add(name: SensorName, unit: string): number {
    if (sensors.length >= catalogSensorsMax)
      throw new RangeError(`there are ${catalogSensorsMax} sensors already`);
    const code = sensors.push(unlistedSensor(name, unit)) - 1;
    codes.set(name, code);
    if (!meant.has(name)) meant.set(name, code);
    return code;
  }

  return {
    sensors,
    listed: listed.length,
    acceptsUnlisted,
    codeOf,
    codeOfNamed: (name) => meant.get(name),
    get,
    unitOf: (name) => get(name)?.unit ?? "",
    find: (text) => found.get(foldedName(text)),
    addUnlisted(name) {
      const isFull = sensors.length - listed.length >= unlistedMax;
      return codeOf(name) ?? (isFull ? undefined : add(name, ""));
    },
    addStored: (name, unit) => codeOf(name) ?? add(name, unit),
  };
}

function unlistedSensor(sensor: SensorName, unit: string): SensorSpec {
  return {
    sensor,
    unit,
    minimum: -Number.MAX_VALUE,
    maximum: Number.MAX_VALUE,
    description: "",
    aliases: [],
  };
}
