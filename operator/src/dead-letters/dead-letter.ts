import type { DeadLetterKind } from "@devicemesh/pipeline";
import { parseIdentity } from "@devicemesh/pipeline";
import { reasonLengthMax } from "../limits.ts";

/** A record of a dead-letter topic, as a consumer receives it. */
export type DeadLetterRecord = {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** The headers by name; a value may be absent or not a text. */
  readonly headers: Readonly<Record<string, unknown>>;
  /** The time at which the broker appended the rejected record, which Kafka Connect passes on, in ms since 1970. */
  readonly timestampMs: number;
};

/** A rejected record of a sink, and the reason. */
export type DeadLetter = {
  /** The rejected record; the dead letter itself if its headers do not identify one. */
  readonly origin: { readonly topic: string; readonly partition: number; readonly offset: number };
  readonly reason: string;
  readonly stage: string;
  /** The database's error code, if the database rejected the record. */
  readonly code: number | undefined;
  readonly key: string | null;
  readonly value: Uint8Array | null;
  readonly arrivedMs: number;
};

/** The message stored under the identity of a rejected record. */
export type StoredReading = { readonly offset: number; readonly arrivedMs: number; readonly value: number };

/** MongoDB's error code for a duplicate key. */
export const duplicateKeyCode = 11_000;

const prefix = "__connect.errors.";

/** Reads the headers that Kafka Connect adds to a rejected record. Accepts any headers. */
export function parseDeadLetter(record: DeadLetterRecord): DeadLetter {
  const header = (name: string): string | undefined => textOf(record.headers[`${prefix}${name}`]);
  const topic = header("topic");
  const partition = wholeNumber(header("partition"));
  const offset = wholeNumber(header("offset"));
  const known = topic !== undefined && partition !== undefined && offset !== undefined;
  const message = header("exception.message");
  const code = /(?:^|,\s*)code=(-?\d+)/.exec(message ?? "")?.[1];
  return {
    origin: known
      ? { topic, partition, offset }
      : { topic: record.topic, partition: record.partition, offset: record.offset },
    reason: reasonOf(header("exception.class.name"), message, header("exception.stacktrace")),
    stage: header("stage") ?? "UNKNOWN",
    code: code === undefined ? undefined : Number(code),
    key: textOf(record.key) ?? null,
    value: record.value,
    arrivedMs: record.timestampMs,
  };
}

/**
 * Returns the `_id` of a dead letter: the position of the rejected record. A record that is rejected again is the same
 * dead letter.
 */
export function deadLetterId({ origin }: DeadLetter): string {
  return `${origin.topic}/${origin.partition}/${origin.offset}`;
}

/**
 * Returns the kind of a dead letter of the messages. `stored` is the message stored under its identity. A record that
 * was rejected as a duplicate of an expired reading is a duplicate, whatever its value.
 */
export function kindOf(letter: DeadLetter, stored: StoredReading | undefined): DeadLetterKind {
  if (letter.code !== duplicateKeyCode) return "invalid";
  if (!stored) return "duplicate";
  // Compares the append time too: the same offset may be of another partition.
  if (stored.offset === letter.origin.offset && stored.arrivedMs === letter.arrivedMs) return "redelivery";
  return refusedValue(letter) === stored.value ? "duplicate" : "conflict";
}

/** Returns the series and time of a rejected message, from its key or else its value; undefined if neither has them. */
export function identityOfMessage(letter: DeadLetter): ReturnType<typeof parseIdentity> {
  const byKey = letter.key === null ? undefined : parseIdentity(letter.key);
  if (byKey) return byKey;
  const fields = fieldsOf(letter);
  const { device_id: deviceId, sensor, timestamp } = fields;
  if (typeof deviceId !== "string" || typeof sensor !== "string" || typeof timestamp !== "string") {
    return undefined;
  }
  return parseIdentity(`${deviceId}|${sensor}|${timestamp}`);
}

/** Returns the series, window and segment of a rejected partial, from its key; undefined if the key is not valid. */
export function identityOfPartial(letter: DeadLetter):
  | {
      readonly deviceId: string;
      readonly sensor: string;
      readonly windowMs: number;
      readonly segmentMs: number;
    }
  | undefined {
  const parts = letter.key?.split("|") ?? [];
  const segment = parts[3];
  if (parts.length !== 4 || segment === undefined) return undefined;
  const [window, other] = [parts.slice(0, 3), [...parts.slice(0, 2), segment]].map((some) =>
    parseIdentity(some.join("|")),
  );
  if (!window || !other) return undefined;
  const { deviceId, sensor, timestampMs } = window;
  return { deviceId, sensor, windowMs: timestampMs, segmentMs: other.timestampMs };
}

/** Returns the value of a rejected message, of any type if it is not a valid message. */
export function refusedValue(letter: DeadLetter): unknown {
  return fieldsOf(letter).value;
}

/** Returns the fields of a rejected record; none if it is not a JSON object. */
export function fieldsOf({ value }: DeadLetter): Readonly<Record<string, unknown>> {
  try {
    const fields: unknown = JSON.parse(textOf(value) ?? "");
    return typeof fields === "object" && fields !== null ? (fields as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function reasonOf(kind: string | undefined, message: string | undefined, trace: string | undefined): string {
  // A converter's message is in the cause; the last cause is the most specific one.
  const cause = [...(trace ?? "").matchAll(/^Caused by: (.*)$/gm)].at(-1)?.[1];
  const parts = [message?.trim() || kind, cause].filter((part) => part !== undefined && part !== "");
  return (parts.join(" ") || "no reason given").slice(0, reasonLengthMax);
}

function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("utf8");
  return undefined;
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
