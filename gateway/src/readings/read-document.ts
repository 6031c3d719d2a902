import { idOfDocument } from "./device-id.ts";
import type { GatewayReading, RejectedValue } from "./gateway-reading.ts";
import { parseTimestamp } from "./parse-timestamp.ts";
import { parseValue } from "./parse-value.ts";
import type { KnownSensor, SensorLookup } from "./sensor-lookup.ts";

/** The contents of a document: its readings, each with its field, and the fields that break a rule. */
export type DocumentReadings = {
  readonly readings: readonly (GatewayReading & { readonly field: string })[];
  readonly rejected: readonly Omit<RejectedValue, "index">[];
};

/** The defaults for parts that a document leaves out. */
export type DocumentDefaults = {
  readonly lookup: SensorLookup;
  /** The time of a document without one, in ms since 1970. */
  readonly nowMs: number;
  /** The device of a document that names none. */
  readonly deviceId?: string | undefined;
};

/** Fields that are not measurements, whatever they contain. */
const namesOfDevice = ["device_id", "deviceId"] as const;
const namesOfTime = ["timestamp", "time"] as const;
const reserved: ReadonlySet<string> = new Set([...namesOfDevice, ...namesOfTime, "tag", "sensor", "unit"]);

/**
 * Reads a flat JSON object: `{"device_id": "1", "timestamp": "2023-03-28T20:04:22Z", "temperature": 25.2}` with any
 * number of sensors, or one value as `{"device_id", "timestamp", "sensor", "value"}`. `tag` names the type of the
 * device and thereby the sensor of `value`. Texts, lists and objects under names that are not sensors are ignored.
 * Pure.
 */
export function readDocument(
  document: unknown,
  { lookup, nowMs, deviceId }: DocumentDefaults,
): DocumentReadings {
  if (typeof document !== "object" || document === null || Array.isArray(document)) {
    return rejectedWhole("", "document.object", "must be a JSON object with a device_id and measurements");
  }
  const fields = document as Readonly<Record<string, unknown>>;
  const device = deviceOf(fields) ?? deviceId;
  if (device === undefined) {
    return rejectedWhole("device_id", "required", "must be there: the name of the device, as text");
  }
  const timeField = namesOfTime.find((name) => isSet(fields[name]));
  const time =
    timeField === undefined ? { kind: "time" as const, ms: nowMs } : parseTimestamp(fields[timeField]);
  if (time.kind === "problem") return rejectedWhole(timeField ?? "timestamp", time.rule, time.text);

  const readings: (GatewayReading & { field: string })[] = [];
  const rejected: Omit<RejectedValue, "index">[] = [];
  function take(field: string, sensor: string, known: KnownSensor | undefined, raw: unknown): void {
    const parsed = parseValue(raw, known);
    if (parsed.kind === "problem") rejected.push({ field, rule: "value.number", text: parsed.text });
    if (parsed.kind !== "value") return;
    readings.push({
      field,
      deviceId: idOfDocument(device!),
      sensor: known?.sensor ?? sensor,
      timestampMs: time.kind === "time" ? time.ms : nowMs,
      value: parsed.value,
    });
  }
  const named = sensorOfValue(fields, lookup);
  for (const [field, raw] of Object.entries(fields)) {
    if (reserved.has(field)) continue;
    if (field === "value" && named !== undefined) take(field, named.name, named.known, raw);
    else {
      const known = lookup.find(field);
      if (known !== undefined || typeof raw === "number") take(field, field, known, raw);
    }
  }
  if (readings.length === 0 && rejected.length === 0) {
    const isMissing = Object.keys(fields).some(
      (field) => lookup.find(field) !== undefined || field === "value",
    );
    if (!isMissing)
      return rejectedWhole(
        "",
        "measurement.required",
        'must have a measurement, such as "temperature": 21.5',
      );
  }
  return { readings, rejected };
}

function deviceOf(fields: Readonly<Record<string, unknown>>): string | undefined {
  for (const name of namesOfDevice) {
    const id = fields[name];
    if (typeof id === "string" && id !== "") return id;
    if (typeof id === "number" && Number.isSafeInteger(id)) return String(id);
  }
  return undefined;
}

/** Returns the sensor of the field `value`: from `sensor`, or from the type of the device. */
function sensorOfValue(fields: Readonly<Record<string, unknown>>, lookup: SensorLookup) {
  const { sensor, tag } = fields;
  if (typeof sensor === "string" && sensor !== "") return { name: sensor, known: lookup.find(sensor) };
  const known = typeof tag === "string" ? lookup.ofDeviceType(tag) : undefined;
  return known && { name: known.sensor, known };
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "";
}

function rejectedWhole(field: string, rule: string, text: string): DocumentReadings {
  return { readings: [], rejected: [{ field, rule, text }] };
}
