import { ingestTlsSettingsOf } from "@devicemesh/client/delivery/ingest-tls";
import { defineSettings, type SettingsOf } from "@devicemesh/kit/settings/define-settings";
import { sensorSettings } from "@devicemesh/kit/settings/sensor-settings";
import { dateOrders } from "./time/dates.ts";

const prefix = "DEVICEMESH_IMPORT_";

/** The flags of `npm run import`. */
export const importSettings = defineSettings({
  prefix,
  usage: "npm run import -- FILES… [flags]",
  summary:
    "Loads recordings: files, folders, globs, or - for standard input; also packed (.gz, .zst). It inspects all of them first and asks for what they leave open. Ends with 0 if nothing was refused, 1 if something was, 2 if it could not start.",
  positionals: { max: Number.POSITIVE_INFINITY, placeholder: "FILES" },
  misnamed: { "--target": "--to", "--timezone": "--zone", "--tz": "--zone", "--column": "--map" },
  settings: {
    to: {
      flag: "--to",
      env: `${prefix}TO`,
      kind: "string",
      default: "127.0.0.1:8080",
      placeholder: "ADDRESS",
      description: "host:port of ingest.",
    },
    zone: {
      flag: "--zone",
      env: `${prefix}ZONE`,
      kind: "string",
      placeholder: "IANA",
      description: "Zone of times that have none: Europe/Berlin, UTC, +02:00.",
    },
    order: {
      flag: "--order",
      env: `${prefix}ORDER`,
      kind: "string",
      choices: dateOrders,
      description: "Order of day and month in dates that can be read in several ways.",
    },
    unit: {
      flag: "--unit",
      env: `${prefix}UNIT`,
      kind: "strings",
      placeholder: "SENSOR=UNIT",
      description: "Unit of a sensor's values in the files; repeatable. They are converted.",
    },
    device: {
      flag: "--device",
      env: `${prefix}DEVICE`,
      kind: "string",
      placeholder: "ID",
      description: "Device of all rows.",
    },
    sensor: {
      flag: "--sensor",
      env: `${prefix}SENSOR`,
      kind: "string",
      placeholder: "NAME",
      description: "Sensor of all values in a column of values.",
    },
    missing: {
      flag: "--missing",
      env: `${prefix}MISSING`,
      kind: "strings",
      placeholder: "VALUE",
      description: "Text or number that means no value, such as -999; repeatable.",
    },
    decimal: {
      flag: "--decimal",
      env: `${prefix}DECIMAL`,
      kind: "string",
      choices: [",", "."],
      description: "Decimal sign.",
    },
    map: {
      flag: "--map",
      env: `${prefix}MAP`,
      kind: "strings",
      placeholder: "COLUMN=TARGET",
      description:
        "What a column, tag or field is: time, device, value, sensor, unit, the name of a sensor, or - to leave it out; #3 is the third column. Repeatable.",
    },
    dryRun: {
      flag: "--dry-run",
      env: `${prefix}DRY_RUN`,
      kind: "boolean",
      default: false,
      description: "Read and report everything, send nothing.",
    },
    badRows: {
      flag: "--bad-rows",
      env: `${prefix}BAD_ROWS`,
      kind: "string",
      placeholder: "FILE",
      description: "Write every refused row and value to this CSV file: file, line, column, reason, row.",
    },
    giveUpAfterMs: {
      flag: "--give-up-after",
      env: `${prefix}GIVE_UP_AFTER`,
      kind: "duration",
      default: "5m",
      optional: true,
      description: "Give up when ingest has failed for this time; none retries without a limit.",
    },
    ...sensorSettings(prefix),
    ...ingestTlsSettingsOf(prefix),
  },
});

/** The values of these flags. */
export type ImportSettings = SettingsOf<typeof importSettings>;

/** The environment variables of this command, which programs with a wider prefix must ignore. */
export const importEnvironment: readonly string[] = Object.values(importSettings.settings).map(
  ({ env }) => env,
);
