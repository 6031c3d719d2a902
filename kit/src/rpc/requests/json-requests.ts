import type { DescEnum, DescField, DescMessage } from "@bufbuild/protobuf";
import { toConnectError } from "../connect-status.ts";
import { RpcError } from "../rpc-error.ts";

/**
 * The JSON options of all our servers. A misspelled field is rejected, because it must not silently mean the default.
 * (In binary, unknown fields are those of newer clients.) A field of 0 is written, because readers treat a missing one
 * as unknown.
 */
export const contractJson = { ignoreUnknownFields: false, alwaysEmitImplicit: true } as const;

/**
 * `contractJson` for the requests of one method: a time, a duration or an enum value of a wrong format is rejected with
 * the field and the correct format. (The runtime itself turns 30 February into March, ignores everything after a
 * duration's "s", and names no field.) It works on the decoded text, whatever the protocol and compression.
 * @throws ConnectError INVALID_ARGUMENT, from the decoder.
 */
export function contractJsonOf(schema: DescMessage) {
  const decoder = new TextDecoder();
  const textDecoder = {
    decode(bytes: Uint8Array): string {
      const text = decoder.decode(bytes);
      const violations = malformedValues(schema, parsed(text), "");
      if (violations.length === 0) return text;
      throw toConnectError(
        new RpcError({
          code: "INVALID_ARGUMENT",
          message: violations.map(({ field, description }) => `${field}: ${description}`).join("; "),
          details: [{ kind: "badRequest", violations }],
        }),
      );
    },
  };
  return { ...contractJson, textDecoder };
}

/** Returns the values of an enum by name, without its 0. */
export function enumNames({ values }: DescEnum): string {
  const named = values.filter(({ number }) => number !== 0);
  return named.map(({ name }) => name).join(", ");
}

type JsonViolation = { readonly field: string; readonly description: string; readonly reason: string };

/** Undefined for text that is not JSON, which the runtime rejects with its own message. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function malformedValues(schema: DescMessage, json: unknown, path: string): JsonViolation[] {
  if (typeof json !== "object" || json === null) return [];
  const members = json as Readonly<Record<string, unknown>>;
  return schema.fields.flatMap((field) => {
    const value = members[field.jsonName] ?? members[field.name];
    const at = `${path}${field.name}`;
    if (value === undefined || value === null) return [];
    if (field.fieldKind === "list" && Array.isArray(value)) {
      return value.flatMap((item, place) => malformedValue(field, item, `${at}[${place}]`));
    }
    return malformedValue(field, value, at);
  });
}

function malformedValue(field: DescField, value: unknown, at: string): JsonViolation[] {
  if (field.enum && typeof value === "string") {
    const { values } = field.enum;
    if (values.some(({ name }) => name === value)) return [];
    return [{ field: at, description: `must be one of ${enumNames(field.enum)}`, reason: "enum.name" }];
  }
  switch (field.message?.typeName) {
    case undefined:
      return [];
    case "google.protobuf.Timestamp":
      return isTime(value) ? [] : [{ field: at, description: timeForm, reason: "timestamp.well_formed" }];
    case "google.protobuf.Duration":
      return isDuration(value)
        ? []
        : [{ field: at, description: durationForm(value), reason: "duration.well_formed" }];
    default:
      return malformedValues(field.message as DescMessage, value, `${at}.`);
  }
}

const timeForm =
  'must be a time that exists, in years 1 to 9999, written as RFC 3339 has it: "2026-01-31T12:00:00Z"';

const timePattern = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?(?:Z|[+-](\d\d):(\d\d))$/;

function isTime(value: unknown): boolean {
  const parts = typeof value === "string" ? timePattern.exec(value) : null;
  if (!parts) return false;
  const [year, month, day, hour, minute, second, offsetHour, offsetMinute] = parts
    .slice(1)
    .map((digits) => Number(digits ?? 0)) as [number, number, number, number, number, number, number, number];
  // Date.UTC treats two-digit years differently; 2000 to 2399 have the leap years of any 400 years.
  const date = new Date(Date.UTC(2000 + (year % 400), month - 1, day));
  return (
    year >= 1 &&
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    hour <= 23 &&
    minute <= 59 &&
    // protobuf has no leap seconds.
    second <= 59 &&
    offsetHour <= 23 &&
    offsetMinute <= 59
  );
}

const durationPattern = /^-?\d+(?:\.\d{1,9})?s$/;
/** Within 10,000 years, like google.protobuf.Duration. */
const durationSecondsMax = 315_576_000_000;

function isDuration(value: unknown): boolean {
  if (typeof value !== "string" || !durationPattern.test(value)) return false;
  return Math.abs(Number.parseFloat(value)) <= durationSecondsMax;
}

/** Returns the correct format; if users mean another unit, the exact text. */
function durationForm(value: unknown): string {
  const [, count, unit = ""] = (typeof value === "string" && /^(\d+(?:\.\d+)?)(ms|[dhm])$/.exec(value)) || [];
  const seconds = { d: 86_400, h: 3600, m: 60, ms: 0.001 }[unit];
  const form = "must be seconds with an s, within 10,000 years";
  if (count === undefined || seconds === undefined) return `${form}: "3600s"`;
  return `${form}: "${Number((Number(count) * seconds).toFixed(9))}s" for "${value}"`;
}
