import { defaultUnlistedMax, type SensorCatalog, valueMagnitudeMax } from "@devicemesh/proto";
import { readSensorCatalog, SensorFileError } from "@devicemesh/proto/sensor-catalog-file";
import type { Setting } from "./setting-schema.ts";
import { SettingsError } from "./settings-error.ts";

// Functions, because programs differ in the prefix of their environment variables; the flags are the same everywhere.

/** The setting of every program that uses sensors. The environment variable begins with `prefix`. */
export const sensorSettings = (prefix = "DEVICEMESH_") =>
  ({
    sensors: {
      flag: "--sensors",
      env: `${prefix}SENSORS`,
      kind: "string",
      placeholder: "FILE",
      description:
        "Sensors (YAML or JSON) that are added to the built-in catalog or change it; the same file for every service.",
    },
  }) as const satisfies Readonly<Record<string, Setting>>;

/** The settings of a program that accepts readings. */
export const ingestSensorSettings = (prefix = "DEVICEMESH_") =>
  ({
    ...sensorSettings(prefix),
    unknownSensors: {
      flag: "--unknown-sensors",
      env: `${prefix}UNKNOWN_SENSORS`,
      kind: "string",
      default: "reject",
      choices: ["reject", "accept"],
      description: `What to do with readings of sensors that are not in the catalog: reject them, or accept them without a unit, with values from -${valueMagnitudeMax} to ${valueMagnitudeMax} (at most ${defaultUnlistedMax} such sensors).`,
    },
  }) as const satisfies Readonly<Record<string, Setting>>;

/**
 * Returns the catalog of the settings. Reads the file once.
 * @throws SettingsError that names the file and every problem in it.
 */
export function openSensorCatalog(values: {
  readonly sensors?: string | undefined;
  readonly unknownSensors?: "reject" | "accept";
}): SensorCatalog {
  try {
    return readSensorCatalog(values.sensors, { acceptsUnlisted: values.unknownSensors === "accept" });
  } catch (error) {
    if (error instanceof SensorFileError) throw new SettingsError(`--sensors: ${error.message}`);
    throw error;
  }
}
