import type { DeadLetterKind } from "@devicemesh/pipeline";
import { parseIdentity } from "@devicemesh/pipeline";
import { reasonLengthMax } from "../limits.ts";

/** A record of a dead-letter topic, as a consumer gets it. */
export type DeadLetterRecord = {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** By name; a value may be absent or not a text at all. */
  readonly headers: Readonly<Record<string, unknown>>;
  /** When the broker appended the record that was refused: Kafka Connect passes it on, ms since 1970. */
  readonly timestampMs: number;
};

/** What a sink refused, and why. */
export type DeadLetter = {
  /** The record that was refused; the dead letter itself where its headers do not tell. */
  readonly origin: { readonly topic: string; readonly partition: number; readonly offset: number };
  readonly reason: string;
  readonly stage: string;
  /** The database's error code, where it was the database that refused it. */
  readonly code: number | undefined;
  readonly key: string | null;
  readonly value: Uint8Array | null;
  readonly arrivedMs: number;
};

/** What is stored under the identity of a record that was refused. */
export type StoredReading = { readonly offset: number; readonly arrivedMs: number; readonly value: number };

/** MongoDB's code for "there is a document of this key". */
export const duplicateKeyCode = 11_000;

const prefix = "__connect.errors.";

/** Reads what Kafka Connect has written around a refused record. Takes whatever is there. */
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

/** The `_id` of a dead letter: where the refused record is. The same record refused again is the same dead letter. */
export function deadLetterId({ origin }: DeadLetter): string {
  return `${origin.topic}/${origin.partition}/${origin.offset}`;
}

/**
 * What kind a dead letter of the messages is. `stored` is what is stored under its identity. A record refused as
 * a duplicate of something that has expired since is a duplicate, whatever its value.
 */
export function kindOf(letter: DeadLetter, stored: StoredReading | undefined): DeadLetterKind {
  if (letter.code !== duplicateKeyCode) return "invalid";
  if (!stored) return "duplicate";
  // The append time as well: the same offset may be another partition's.
  if (stored.offset === letter.origin.offset && stored.arrivedMs === letter.arrivedMs) return "redelivery";
  return refusedValue(letter) === stored.value ? "duplicate" : "conflict";
}

/** A refused message's series and time, as its key or else its value tells them; undefined if neither does. */
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

/** A refused partial's series, window and segment, as its key tells them; undefined if it does not. */
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

/** The value of a refused message; anything at all if it is no message. */
export function refusedValue(letter: DeadLetter): unknown {
  return fieldsOf(letter).value;
}

/** The fields of a refused record; none where it is no JSON object. */
export function fieldsOf({ value }: DeadLetter): Readonly<Record<string, unknown>> {
  try {
    const fields: unknown = JSON.parse(textOf(value) ?? "");
    return typeof fields === "object" && fields !== null ? (fields as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function reasonOf(kind: string | undefined, message: string | undefined, trace: string | undefined): string {
  // What a converter says is in the cause; the last one is nearest to it.
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
