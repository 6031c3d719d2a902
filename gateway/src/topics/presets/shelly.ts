import { parseTimestamp } from "../../readings/parse-timestamp.ts";
import type { SensorLookup } from "../../readings/sensor-lookup.ts";
import {
  asObject,
  createCollector,
  memberOf,
  noReadings,
  objectOf,
  type TopicForm,
  type TopicMessage,
  type TopicReadings,
} from "../topic-message.ts";

/**
 * Shelly. First generation: `shellies/<device>/…` with a number. Second generation and later:
 * `<device>/status/<component>:<n>` with an object, and `<device>/events/rpc` with `NotifyStatus`. Components other
 * than 0 are separate devices, `<device>/<n>`. Energy in watt-hours and watt-minutes is converted to kWh. Temperatures
 * inside switches are not readings.
 */
export const shelly: TopicForm = (message, lookup) => {
  const { topic } = message;
  if (topic.startsWith("shellies/")) return firstGeneration(message, lookup);
  const [, statusDevice, component] = /^(.+)\/status\/([a-z0-9_]+:\d+)$/.exec(topic) ?? [];
  if (statusDevice !== undefined && component !== undefined) {
    return components({ [component]: objectOf(message.text) }, statusDevice, message.nowMs, message, lookup);
  }
  const [, rpcDevice] = /^(.+)\/events\/rpc$/.exec(topic) ?? [];
  if (rpcDevice === undefined) return undefined;
  const rpc = objectOf(message.text);
  if (rpc?.method !== "NotifyStatus" && rpc?.method !== "NotifyFullStatus") return noReadings;
  const params = memberOf(rpc, "params");
  const time = parseTimestamp(params.ts);
  return components(params, rpcDevice, time.kind === "time" ? time.ms : message.nowMs, message, lookup);
};

type Path = { readonly sensor: string; readonly path: readonly string[]; readonly factor?: number };

const power: readonly Path[] = [
  { sensor: "power", path: ["apower"] },
  { sensor: "voltage", path: ["voltage"] },
  { sensor: "current", path: ["current"] },
  { sensor: "frequency", path: ["freq"] },
  { sensor: "energy", path: ["aenergy", "total"], factor: 1000 },
];

/** The fields of the values of a component, by its kind. */
const componentPaths: Readonly<Record<string, readonly Path[]>> = {
  temperature: [{ sensor: "temperature", path: ["tC"] }],
  humidity: [{ sensor: "humidity", path: ["rh"] }],
  illuminance: [{ sensor: "illuminance", path: ["lux"] }],
  devicepower: [{ sensor: "battery", path: ["battery", "percent"] }],
  voltmeter: [{ sensor: "voltage", path: ["voltage"] }],
  smoke: [{ sensor: "smoke", path: ["alarm"] }],
  flood: [{ sensor: "water_leak", path: ["alarm"] }],
  ...{ switch: power, pm1: power, cover: power, light: power },
};

function components(
  params: Readonly<Record<string, unknown>>,
  device: string,
  timestampMs: number,
  { nowMs }: TopicMessage,
  lookup: SensorLookup,
): TopicReadings {
  const collector = createCollector({ nowMs });
  for (const [component, status] of Object.entries(params)) {
    const [kind = "", number] = component.split(":");
    const deviceId = number === "0" ? device : `${device}/${number}`;
    for (const { sensor, path, factor = 1 } of Object.hasOwn(componentPaths, kind)
      ? componentPaths[kind]!
      : []) {
      const known = lookup.find(sensor);
      const raw = path.reduce<unknown>((value, name) => asObject(value)[name], status);
      if (known === undefined || raw === undefined) continue;
      const field = `${component}.${path.join(".")}`;
      collector.add({ deviceId, field, known, timestampMs }, raw, (value) => value / factor);
    }
  }
  return collector.result();
}

/** Topics of the first generation after the device, with the divisor to the unit of the catalog. */
const firstPaths: readonly { readonly pattern: RegExp; readonly sensor: string; readonly factor?: number }[] =
  [
    { pattern: /^sensor\/temperature$/, sensor: "temperature" },
    { pattern: /^ext_temperature\/(\d+)$/, sensor: "temperature" },
    { pattern: /^(?:sensor\/humidity|ext_humidity\/(\d+))$/, sensor: "humidity" },
    { pattern: /^sensor\/battery$/, sensor: "battery" },
    { pattern: /^sensor\/lux$/, sensor: "illuminance" },
    { pattern: /^sensor\/flood$/, sensor: "water_leak" },
    { pattern: /^sensor\/smoke$/, sensor: "smoke" },
    { pattern: /^sensor\/motion$/, sensor: "motion" },
    { pattern: /^(?:relay|emeter|light|roller)\/(\d+)\/power$/, sensor: "power" },
    { pattern: /^emeter\/(\d+)\/voltage$/, sensor: "voltage" },
    { pattern: /^emeter\/(\d+)\/current$/, sensor: "current" },
    { pattern: /^emeter\/(\d+)\/total$/, sensor: "energy", factor: 1000 },
    { pattern: /^(?:relay|light|roller)\/(\d+)\/energy$/, sensor: "energy", factor: 60_000 },
  ];

function firstGeneration({ topic, text, nowMs }: TopicMessage, lookup: SensorLookup): TopicReadings {
  const [, device, path] = /^shellies\/([^/]+)\/(.+)$/.exec(topic) ?? [];
  if (device === undefined || path === undefined) return noReadings;
  for (const { pattern, sensor, factor = 1 } of firstPaths) {
    const match = pattern.exec(path);
    const known = match === null ? undefined : lookup.find(sensor);
    if (match === null || known === undefined) continue;
    const collector = createCollector({ nowMs });
    const number = match[1] ?? "0";
    const deviceId = number === "0" ? device : `${device}/${number}`;
    collector.add({ deviceId, field: path, known }, text, (value) => value / factor);
    return collector.result();
  }
  return noReadings;
}
