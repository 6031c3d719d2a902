/** A google.protobuf.Timestamp, in the form of both protobuf runtimes. */
export type ProtoTimestamp = { readonly seconds: bigint; readonly nanos: number };

/** Returns the timestamp in whole milliseconds since 1970; it truncates smaller digits (towards the past). */
export function millisecondsFloor(timestamp: ProtoTimestamp): number {
  return Number(timestamp.seconds) * 1000 + Math.floor(timestamp.nanos / 1e6);
}

/** Returns the fields of a google.protobuf.Timestamp for milliseconds since 1970. */
export function protoTimestamp(ms: number): { seconds: bigint; nanos: number } {
  const seconds = Math.floor(ms / 1000);
  return { seconds: BigInt(seconds), nanos: (ms - seconds * 1000) * 1_000_000 };
}

/** ISO 8601 in UTC with milliseconds: `2026-11-23T20:04:22.000Z`. */
export function isoMilliseconds(ms: number): string {
  return new Date(ms).toISOString();
}

/** The largest multiple of `size` that is not after `ms`. */
export function alignDown(ms: number, size: number): number {
  return Math.floor(ms / size) * size;
}

/** The smallest multiple of `size` that is not before `ms`. */
export function alignUp(ms: number, size: number): number {
  return Math.ceil(ms / size) * size;
}
