/**
 * The protobuf wire format, read by hand. Every function reads at `pos`, never at or past `end`, and returns the
 * position after it. Bytes that a protobuf parser must reject throw MalformedError.
 * Source: https://protobuf.dev/programming-guides/encoding/
 */

/** Bytes that are not protobuf. The message is for the caller. */
export class MalformedError extends Error {}

/**
 * The last varint, as the two halves of its 64 bits. Both are signed: integers that always fit 32 bits are never boxed,
 * whatever numbers a frame contains.
 */
export type Varint = { low: number; high: number };

/** The deepest accepted nesting of unknown groups; deeper ones are rejected, like in protobuf's own parsers. */
export const groupDepthMax = 100;

/** Wire types. */
export const wireTypes = { varint: 0, bit64: 1, bytes: 2, startGroup: 3, endGroup: 4, bit32: 5 } as const;

/**
 * Reads a varint of at most ten bytes into `varint`; bits above the 64th are dropped, like in every protobuf parser,
 * and overlong encodings are legal.
 */
export function readVarint(bytes: Uint8Array, start: number, end: number, varint: Varint): number {
  if (end - start < 5) return readVarintByByte(bytes, start, end, varint);
  // Seconds since 1970 and nanos take up to five bytes: this path, unrolled, halves the cost of a timestamp.
  varint.high = 0;
  let byte = bytes[start]!;
  let low = byte & 0x7f;
  if (byte < 0x80) {
    varint.low = low;
    return start + 1;
  }
  byte = bytes[start + 1]!;
  low |= (byte & 0x7f) << 7;
  if (byte < 0x80) {
    varint.low = low;
    return start + 2;
  }
  byte = bytes[start + 2]!;
  low |= (byte & 0x7f) << 14;
  if (byte < 0x80) {
    varint.low = low;
    return start + 3;
  }
  byte = bytes[start + 3]!;
  low |= (byte & 0x7f) << 21;
  if (byte < 0x80) {
    varint.low = low;
    return start + 4;
  }
  byte = bytes[start + 4]!;
  if (byte >= 0x80) return readVarintByByte(bytes, start, end, varint);
  varint.low = low | (byte << 28);
  varint.high = byte >> 4;
  return start + 5;
}

function readVarintByByte(bytes: Uint8Array, start: number, end: number, varint: Varint): number {
  let low = 0;
  let high = 0;
  for (let i = 0; i < 10; i++) {
    if (start + i >= end) throw pastEnd("a number", start);
    const byte = bytes[start + i]!;
    const bits = byte & 0x7f;
    if (i < 5) low |= bits << (7 * i);
    if (i === 4) high = bits >> 4;
    else if (i > 4) high |= bits << (7 * i - 32);
    if (byte < 0x80) {
      varint.low = low;
      varint.high = high;
      return start + i + 1;
    }
  }
  throw new MalformedError(`the number at byte ${start} has more than 10 bytes`);
}

/**
 * Returns the varint as an int64. Exact up to 2^53; beyond it, the nearest Number, so bounds still compare correctly.
 */
export function asInt64(varint: Varint): number {
  return varint.high * 4_294_967_296 + (varint.low >>> 0);
}

/** Reads a field's tag of at most five bytes into `varint.low`: negative from field number 2^28 on. */
export function readTag(bytes: Uint8Array, start: number, end: number, varint: Varint): number {
  const first = bytes[start]!;
  if (start < end && first < 0x80 && first >= 8 && (first & 7) <= wireTypes.bit32) {
    varint.low = first;
    return start + 1;
  }
  const pos = readVarint(bytes, start, end, varint);
  // protobuf's own parsers also reject longer tags, and tags of more than 32 bits.
  if (pos - start > 5 || varint.high !== 0) throw new MalformedError(`the tag at byte ${start} is too long`);
  const tag = varint.low;
  if (tag >>> 3 === 0) throw new MalformedError(`the tag at byte ${start} has field number 0`);
  if ((tag & 7) > wireTypes.bit32) {
    throw new MalformedError(`the tag at byte ${start} has the unknown wire type ${tag & 7}`);
  }
  return pos;
}

/** Reads a length into `varint.low`, checked to end at or before `end`. */
export function readLength(bytes: Uint8Array, start: number, end: number, varint: Varint): number {
  const first = bytes[start]!;
  if (first < 0x80 && first < end - start) {
    varint.low = first;
    return start + 1;
  }
  const pos = readVarint(bytes, start, end, varint);
  const length = varint.low >>> 0;
  if (varint.high !== 0 || length > end - pos) throw pastEnd("a field", start);
  varint.low = length;
  return pos;
}

/** Skips the value of an unknown field, whose tag was just read. */
export function skipValue(
  bytes: Uint8Array,
  start: number,
  end: number,
  tag: number,
  varint: Varint,
): number {
  return skipNested(bytes, start, end, tag, varint, groupDepthMax);
}

/** The error for a part that starts at `start` and does not end in its message. */
export function pastEnd(what: string, start: number): MalformedError {
  return new MalformedError(`${what} at byte ${start} runs past the end of its message`);
}

function skipNested(
  bytes: Uint8Array,
  start: number,
  end: number,
  tag: number,
  varint: Varint,
  depth: number,
): number {
  switch (tag & 7) {
    case wireTypes.varint:
      return readVarint(bytes, start, end, varint);
    case wireTypes.bit64:
      if (end - start < 8) throw pastEnd("a field", start);
      return start + 8;
    case wireTypes.bit32:
      if (end - start < 4) throw pastEnd("a field", start);
      return start + 4;
    case wireTypes.bytes: {
      const pos = readLength(bytes, start, end, varint);
      return pos + varint.low;
    }
    case wireTypes.startGroup:
      return skipGroup(bytes, start, end, tag, varint, depth);
    default:
      throw new MalformedError(`a group ends before byte ${start} that was not begun`);
  }
}

function skipGroup(
  bytes: Uint8Array,
  start: number,
  end: number,
  tag: number,
  varint: Varint,
  depth: number,
): number {
  if (depth === 0)
    throw new MalformedError(`groups are nested deeper than ${groupDepthMax} at byte ${start}`);
  const endTag = tag - wireTypes.startGroup + wireTypes.endGroup;
  let pos = start;
  for (;;) {
    pos = readTag(bytes, pos, end, varint);
    const inner = varint.low;
    if (inner === endTag) return pos;
    pos = skipNested(bytes, pos, end, inner, varint, depth - 1);
  }
}
