import { valueMagnitudeMax } from "./bounds.ts";
import { catalogSensorsMax, foldedName } from "./sensor-names.ts";
import { builtInSensors, type SensorName, type SensorSpec } from "./sensors.ts";

/**
 * The sensors that a server knows. The index of a sensor in `sensors` is its code in columns; codes are valid for the
 * life of a process and stored nowhere. The sensors of the contract's device types come first, in the order of
 * Reading.measurement. New sensors are appended, so the meaning of a code never changes.
 */
export type SensorCatalog = {
  /** The sensors by code. Only unlisted sensors are added later. */
  readonly sensors: readonly SensorSpec[];
  /** Number of listed sensors, which come first: those of the built-in catalog or a user's file. */
  readonly listed: number;
  /** Whether ingest accepts readings of sensors that are not listed. */
  readonly acceptsUnlisted: boolean;
  /** Returns the code of the sensor with exactly that name, or undefined. */
  codeOf(name: string): number | undefined;
  /** Returns the code of the sensor with that name or alias, as devices send it, or undefined. */
  codeOfNamed(name: string): number | undefined;
  /** Returns the sensor with exactly that name, or undefined. */
  get(name: string): SensorSpec | undefined;
  /** Returns the unit of the sensor with exactly that name; empty if it is unknown. */
  unitOf(name: string): string;
  /**
   * Returns the listed sensor that a user's text names, or undefined: a name or an alias in any case, with `_`, `-`,
   * `.` and blanks treated as equal.
   */
  find(text: string): SensorSpec | undefined;
  /**
   * Returns the code of the sensor with exactly that name. If there is none, adds one without a unit, for values
   * of any magnitude up to `valueMagnitudeMax`, or returns undefined if there are already `unlistedMax` unlisted sensors. The name must match the contract's pattern.
   */
  addUnlisted(name: string): number | undefined;
  /** The same for a sensor that a store has, in its stored unit, without a limit on their number. */
  addStored(name: string, unit: string): number;
};

/** The default maximum number of unlisted sensors in a catalog. */
export const defaultUnlistedMax = 1000;

/** Creates a catalog of these sensors; those of the device types must come first. */
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
    minimum: -valueMagnitudeMax,
    maximum: valueMagnitudeMax,
    description: "",
    aliases: [],
  };
}
