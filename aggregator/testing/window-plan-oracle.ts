import { parseIdentity } from "@devicemesh/pipeline";
import { alignDown, isoMilliseconds } from "@devicemesh/proto";

/** A record of the messages topic, with the broker's metadata. */
export type LoggedRecord = {
  readonly partition: number;
  readonly offset: number;
  /** The time at which the broker appended it, ms since 1970. */
  readonly arrivedMs: number;
  readonly key: string | null;
  readonly value: string | null;
};

/** A partial in its form on the topic, without its key. */
export type PartialMessage = {
  readonly device_id: string;
  readonly sensor: string;
  readonly window_start: number;
  readonly segment_start: number;
  readonly count: number;
  readonly sum: number;
  readonly minimum: number;
  readonly minimum_at: number;
  readonly maximum: number;
  readonly maximum_at: number;
  readonly first_at: number;
  readonly first_value: number;
  readonly last_at: number;
  readonly last_value: number;
  readonly m2: number;
};

type Message = {
  readonly deviceId: string;
  readonly sensor: string;
  readonly at: number;
  readonly value: number;
  readonly arrivedMs: number;
};

/**
 * Returns the partials of the records by their keys, by brute force: the expected output of the window job. Includes
 * only records that JavaScript parses as valid; for tests.
 */
export function bruteForcePartials(
  records: readonly LoggedRecord[],
  sizes: { readonly windowMs: number; readonly segmentMs: number; readonly sinceMs?: number },
): ReadonlyMap<string, PartialMessage> {
  const messages = records
    .filter(({ arrivedMs }) => arrivedMs >= (sizes.sinceMs ?? 0))
    .flatMap((record) => readMessage(record) ?? []);
  const groups = Map.groupBy(messages, ({ deviceId, sensor, at, arrivedMs }) => {
    const window = isoMilliseconds(alignDown(at, sizes.windowMs));
    return `${deviceId}|${sensor}|${window}|${isoMilliseconds(alignDown(arrivedMs, sizes.segmentMs))}`;
  });
  return new Map([...groups].map(([key, group]) => [key, addUp(group, sizes)]));
}

function readMessage({ key, value, arrivedMs }: LoggedRecord): Message | undefined {
  const identity = parseIdentity(key ?? "");
  if (!identity) return undefined;
  const fields = fieldsOf(value);
  if (fields.device_id !== identity.deviceId || fields.sensor !== identity.sensor) return undefined;
  if (typeof fields.value !== "number" || !Number.isFinite(fields.value)) return undefined;
  const { deviceId, sensor, timestampMs } = identity;
  return { deviceId, sensor, at: timestampMs, value: fields.value, arrivedMs };
}

function fieldsOf(value: string | null): Readonly<Record<string, unknown>> {
  try {
    const fields: unknown = JSON.parse(value ?? "");
    return typeof fields === "object" && fields !== null ? (fields as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function addUp(
  group: readonly Message[],
  sizes: { readonly windowMs: number; readonly segmentMs: number },
): PartialMessage {
  const [some] = group as [Message];
  const byTime = group.toSorted((a, b) => a.at - b.at || a.value - b.value);
  const first = byTime[0] as Message;
  const last = byTime.at(-1) as Message;
  const minimum = byTime.reduce((best, one) => (one.value < best.value ? one : best));
  const maximum = byTime.reduce((best, one) => (one.value > best.value ? one : best));
  const sum = group.reduce((total, { value }) => total + value, 0);
  const mean = sum / group.length;
  return {
    device_id: some.deviceId,
    sensor: some.sensor,
    window_start: alignDown(some.at, sizes.windowMs),
    segment_start: alignDown(some.arrivedMs, sizes.segmentMs),
    count: group.length,
    sum,
    minimum: minimum.value,
    minimum_at: minimum.at,
    maximum: maximum.value,
    maximum_at: maximum.at,
    first_at: first.at,
    first_value: first.value,
    last_at: last.at,
    last_value: last.value,
    m2: group.reduce((total, { value }) => total + (value - mean) ** 2, 0),
  };
}

/** Returns the differences as text, at most ten; empty if only the last bits of `sum` and `m2` differ. */
export function differences(
  found: ReadonlyMap<string, PartialMessage>,
  expected: ReadonlyMap<string, PartialMessage>,
): string[] {
  const missing = [...expected.keys()].filter((key) => !found.has(key)).map((key) => `${key} is missing`);
  const extra = [...found.keys()].filter((key) => !expected.has(key)).map((key) => `${key} is not expected`);
  const wrong = [...expected].flatMap(([key, wanted]) => {
    const partial = found.get(key);
    if (!partial) return [];
    const fields = new Set([...Object.keys(wanted), ...Object.keys(partial)]) as Set<keyof PartialMessage>;
    return [...fields]
      .filter((field) => !agrees(field, partial, wanted))
      .map((field) => `${key}: ${field} is ${partial[field]} and not ${wanted[field]}`);
  });
  return [...missing, ...extra, ...wrong].slice(0, 10);
}

function agrees(field: keyof PartialMessage, found: PartialMessage, wanted: PartialMessage): boolean {
  const [a, b] = [found[field], wanted[field]];
  if (typeof a !== "number" || typeof b !== "number") return a === b;
  const tolerance = field === "sum" ? 1e-12 : field === "m2" ? 1e-9 : 0;
  // The rounding error relative to the values' own size, for sum or m2 near 0.
  const size = Math.max(Math.abs(wanted.minimum), Math.abs(wanted.maximum)) * wanted.count;
  const least = field === "sum" ? size * 1e-15 : field === "m2" ? (size * 1e-15) ** 2 : 0;
  return Math.abs(a - b) <= Math.max(tolerance * Math.max(Math.abs(a), Math.abs(b)), least);
}
