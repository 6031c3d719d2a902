import { ingestTlsSettings } from "@devicemesh/client/delivery/ingest-tls";
import { defaultOutboxLimits } from "@devicemesh/client/outbox/outbox";
import { defineSettings, type SettingsOf } from "@devicemesh/kit/settings/define-settings";
import { logLevelSetting } from "@devicemesh/kit/settings/log-level-setting";
import { sensorSettings } from "@devicemesh/kit/settings/sensor-settings";
import { noFaults } from "../faults/fault-plan.ts";
import { environmentPrefix, replayVariables, serveVariables, targetSetting } from "../settings.ts";

/** The settings of `generator play`. */
export const simulateSettings = defineSettings({
  prefix: environmentPrefix,
  usage: "npm run generator -- play [flags]",
  summary:
    "Simulates devices that send readings to ingest until Ctrl-C. Faults are injected only at the rates below.",
  foreignEnv: [...serveVariables, ...replayVariables],
  settings: {
    target: targetSetting,
    ...ingestTlsSettings,
    devicePrefix: {
      flag: "--device-prefix",
      env: "DEVICEMESH_GENERATOR_DEVICE_PREFIX",
      kind: "string",
      default: "",
      placeholder: "TEXT",
      description: "Prefix of the device ids.",
    },
    ...sensorSettings(environmentPrefix),
    deviceSensors: {
      flag: "--device-sensors",
      env: "DEVICEMESH_GENERATOR_DEVICE_SENSORS",
      kind: "string",
      placeholder: "NAMES",
      description:
        "Sensors of the devices, in turn, with commas; those with a device type of their own by default.",
    },
    devices: {
      flag: "--devices",
      env: "DEVICEMESH_GENERATOR_DEVICES",
      kind: "integer",
      default: 12,
      minimum: 1,
      maximum: 100_000,
      description: "Number of devices. The device types alternate.",
    },
    intervalMs: {
      flag: "--interval",
      env: "DEVICEMESH_GENERATOR_INTERVAL",
      kind: "duration",
      default: "1s",
      minimum: "10ms",
      maximum: "1d",
      description: "Time between two readings of a device.",
    },
    seed: {
      flag: "--seed",
      env: "DEVICEMESH_GENERATOR_SEED",
      kind: "integer",
      minimum: 0,
      description:
        "Seed of devices, values and faults. The same seed gives the same readings. Random at each start by default.",
    },
    durationMs: {
      flag: "--duration",
      env: "DEVICEMESH_GENERATOR_DURATION",
      kind: "duration",
      optional: true,
      description: "Stop after this time.",
    },
    lateRate: rate("late", "Share of readings that are sent late, 0 to 1."),
    lateMeanMs: delay("late-mean", noFaults.lateMeanMs, "Mean delay of late readings."),
    lateMaxMs: delay("late-max", noFaults.lateMaxMs, "The longest delay of late readings."),
    shuffleSpan: {
      flag: "--shuffle-span",
      env: "DEVICEMESH_GENERATOR_SHUFFLE_SPAN",
      kind: "integer",
      default: 0,
      minimum: 0,
      maximum: 10_000,
      description: "Size of the groups of readings that are shuffled.",
    },
    duplicateRate: rate("duplicate", "Share of readings that are sent twice, 0 to 1."),
    clockSkewMaxMs: {
      ...delay("clock-skew-max", 0, "Each device's clock is off by up to so much, at most 12h."),
      maximum: "12h",
    },
    offlineRate: rate("offline", "The share of devices' intervals in which an offline spell begins, 0 to 1."),
    offlineMeanMs: delay("offline-mean", noFaults.offlineMeanMs, "The mean length of offline spells."),
    invalidRate: rate("invalid", "The share of readings that break a rule, 0 to 1."),
    memoryReadings: {
      flag: "--outbox-readings",
      env: "DEVICEMESH_GENERATOR_OUTBOX_READINGS",
      kind: "integer",
      default: defaultOutboxLimits.memoryReadings,
      minimum: 1_000,
      maximum: 10_000_000,
      description:
        "Largest number of readings in memory while ingest is unavailable. Further readings are spilled to --spill, or new readings are dropped.",
    },
    spillFolder: {
      flag: "--spill",
      env: "DEVICEMESH_GENERATOR_SPILL",
      kind: "string",
      placeholder: "FOLDER",
      description:
        "Folder for readings that do not fit in memory or are unsent at the end. They are sent at the next start.",
    },
    spillBytesMax: {
      flag: "--spill-bytes",
      env: "DEVICEMESH_GENERATOR_SPILL_BYTES",
      kind: "bytes",
      default: "1GiB",
      description: "Largest size of that folder.",
    },
    stopLimitMs: {
      flag: "--stop-limit",
      env: "DEVICEMESH_GENERATOR_STOP_LIMIT",
      kind: "duration",
      default: "2s",
      description: "Time to wait at the end until ingest has accepted the remaining readings.",
    },
    logLevel: logLevelSetting({ level: "warn", prefix: "DEVICEMESH_GENERATOR_" }),
  },
});

/** The values of `generator play`. */
export type SimulateSettings = SettingsOf<typeof simulateSettings>;

function rate<const Name extends string>(name: Name, description: string) {
  return {
    flag: `--${name}-rate`,
    env: `${environmentPrefix}${name.toUpperCase()}_RATE`,
    kind: "number",
    default: 0,
    minimum: 0,
    maximum: 1,
    description,
  } as const;
}

function delay<const Name extends string>(name: Name, defaultMs: number, description: string) {
  return {
    flag: `--${name}`,
    env: `${environmentPrefix}${name.toUpperCase().replaceAll("-", "_")}`,
    kind: "duration",
    default: defaultMs,
    minimum: 0,
    description,
  } as const;
}
