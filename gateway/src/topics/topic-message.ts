import { idOfName } from "../readings/device-id.ts";
import type { GatewayReading, RejectedValue } from "../readings/gateway-reading.ts";
import { parseValue } from "../readings/parse-value.ts";
import type { KnownSensor, SensorLookup } from "../readings/sensor-lookup.ts";

/** A message as it was published. */
export type TopicMessage = {
  readonly topic: string;
  /** As text; messages that are not UTF-8 are no readings. */
  readonly text: string;
  /** Ms since 1970: when it was received, the time of messages without one. */
  readonly nowMs: number;
};

/** The readings of a message, and what of it breaks a rule. */
export type TopicReadings = {
  readonly readings: readonly GatewayReading[];
  readonly rejected: readonly Omit<RejectedValue, "index">[];
};

/** The form of the messages of one kind of device. Returns undefined for a topic that is not of this kind. Pure. */
export type TopicForm = (message: TopicMessage, lookup: SensorLookup) => TopicReadings | undefined;

/** Nothing to store: the topic is known, and its message has no measurement. */
export const noReadings: TopicReadings = { readings: [], rejected: [] };

/** Collects the values of one message. */
export function createCollector({ nowMs }: Pick<TopicMessage, "nowMs">) {
  const readings: GatewayReading[] = [];
  const rejected: Omit<RejectedValue, "index">[] = [];
  return {
    /** Adds a raw value, converted by `convert` if given; values that state that they are missing are left out. */
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

/** The JSON object of a message; undefined if it is none. */
export function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  if (!/^\s*\{/.test(text)) return undefined;
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}

/** The member of that name if it is an object; an empty one otherwise. */
export function memberOf(value: unknown, name: string): Readonly<Record<string, unknown>> {
  const member = asObject(value)[name];
  return asObject(member);
}

/** The value if it is an object; an empty one otherwise. */
export function asObject(value: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Readonly<Record<string, unknown>>) : {};
}
