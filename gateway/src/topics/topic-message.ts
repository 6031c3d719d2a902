import { idOfName } from "../readings/device-id.ts";
import type { GatewayReading, RejectedValue } from "../readings/gateway-reading.ts";
import { parseValue } from "../readings/parse-value.ts";
import type { KnownSensor, SensorLookup } from "../readings/sensor-lookup.ts";

/** A published message. */
export type TopicMessage = {
  readonly topic: string;
  /** The payload as text; messages that are not UTF-8 have no readings. */
  readonly text: string;
  /** The time of receipt in ms since 1970, which messages without a time get. */
  readonly nowMs: number;
};

/** The readings of a message, and its values that break a rule. */
export type TopicReadings = {
  readonly readings: readonly GatewayReading[];
  readonly rejected: readonly Omit<RejectedValue, "index">[];
};

/** The format of the messages of one kind of device. Returns undefined for a topic that is not of this kind. Pure. */
export type TopicForm = (message: TopicMessage, lookup: SensorLookup) => TopicReadings | undefined;

/** No readings: the topic is known, and its message has no measurement. */
export const noReadings: TopicReadings = { readings: [], rejected: [] };

/** Collects the values of one message. */
export function createCollector({ nowMs }: Pick<TopicMessage, "nowMs">) {
  const readings: GatewayReading[] = [];
  const rejected: Omit<RejectedValue, "index">[] = [];
  return {
    /** Adds a raw value, converted by `convert` if given; values that mean "missing" are left out. */
    add(
      {
        deviceId,
        field,
        known,
        timestampMs = nowMs,
      }: {
        readonly deviceId: string;
        readonly field: string;
        readonly known: KnownSensor;
        readonly timestampMs?: number;
      },
      raw: unknown,
      convert: (value: number) => number = (value) => value,
    ): void {
      const parsed = parseValue(raw, known);
      if (parsed.kind === "problem") rejected.push({ field, rule: "value.number", text: parsed.text });
      if (parsed.kind !== "value") return;
      readings.push({
        deviceId: idOfName(deviceId),
        sensor: known.sensor,
        timestampMs,
        value: convert(parsed.value),
      });
    },
    reject(value: Omit<RejectedValue, "index">): void {
      rejected.push(value);
    },
    result: (): TopicReadings => ({ readings, rejected }),
  };
}

/** Returns the JSON object of a message; undefined if it is not one. */
export function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  if (!/^\s*\{/.test(text)) return undefined;
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}

/** Returns the member of that name if it is an object; otherwise an empty one. */
export function memberOf(value: unknown, name: string): Readonly<Record<string, unknown>> {
  const member = asObject(value)[name];
  return asObject(member);
}

/** Returns the value if it is an object; otherwise an empty one. */
export function asObject(value: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Readonly<Record<string, unknown>>) : {};
}
