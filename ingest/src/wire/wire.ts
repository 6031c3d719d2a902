// The bytes of a frame: protobuf's wire format, read by hand, and the names in it, each made into a string once.
// Functions that read do so at `pos`, never at or past `end`, and return the position after it. Bytes that a protobuf
// parser must reject throw MalformedError. Source: https://protobuf.dev/programming-guides/encoding/
import { deviceIdPattern, sensorNamePattern } from "@devicemesh/proto";

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

/** Converts the bytes of valid names to strings quickly; equal bytes give the same string. */
export type InternedNames = {
  /**
   * Returns the name in bytes[start, end), or undefined if it does not match the pattern. `view` must be of the same
   * bytes.
   */
  intern(bytes: Buffer, view: DataView, start: number, end: number): string | undefined;
};

/** Longer names are decoded each time; this is the contract's limit. */
const cachedBytesMax = 128;
/** Number of slots that a name may use. More slots fit more names into a full table, and cost more for each miss. */
const probes = 4;

/** Interns device ids that match the contract's pattern; 65,536 of them by default: at most 8 MiB. */
export function createDeviceIds({ slots = 65_536 }: { readonly slots?: number } = {}): InternedNames {
  return createInternedNames({ slots, pattern: deviceIdPattern });
}

/** Interns names of sensors that match the contract's pattern. */
export function createSensorNames({ slots = 1024 }: { readonly slots?: number } = {}): InternedNames {
  return createInternedNames({ slots, pattern: sensorNamePattern });
}

/**
 * A table of at most `slots` names (a power of two) in ASCII, of valid ones only, so that garbage cannot fill it. If
 * all the slots of a name are used, it replaces one of them in turn: more names than slots still work, only slower (a
 * miss decodes and matches the pattern).
 */
function createInternedNames({
  slots,
  pattern,
}: {
  readonly slots: number;
  readonly pattern: RegExp;
}): InternedNames {
  if (slots < probes || (slots & (slots - 1)) !== 0)
    throw new Error(`slots must be a power of two, not ${slots}`);
  const mask = slots - 1;
  const strings: string[] = new Array<string>(slots).fill("");
  const hashes = new Int32Array(slots);
  const lengths = new Uint8Array(slots);
  const arena = Buffer.alloc(slots * cachedBytesMax);
  const arenaView = new DataView(arena.buffer, arena.byteOffset);
  /** The slot that was used after each one: devices send in one order, and a comparison costs less than the hash. */
  const following = new Int32Array(slots);
  let last = 0;
  let next = 0;

  function use(slot: number): string {
    following[last] = slot;
    last = slot;
    return strings[slot]!;
  }

  function isAt(slot: number, view: DataView, start: number, length: number): boolean {
    return lengths[slot] === length && sameBytes(view, start, arenaView, slot * cachedBytesMax, length);
  }

  function decode(bytes: Buffer, start: number, end: number): string | undefined {
    // Latin-1 keeps every byte distinct, and no byte above 127 is in the patterns.
    const text = bytes.toString("latin1", start, end);
    return pattern.test(text) ? text : undefined;
  }

  function remember(home: number, hash: number, text: string): string {
    let slot = -1;
    for (let probe = 0; probe < probes && slot < 0; probe++) {
      if (lengths[(home + probe) & mask] === 0) slot = (home + probe) & mask;
    }
    if (slot < 0) slot = (home + (next++ % probes)) & mask;
    strings[slot] = text;
    hashes[slot] = hash;
    lengths[slot] = text.length;
    arena.write(text, slot * cachedBytesMax, "latin1");
    return use(slot);
  }

  return {
    intern(bytes, view, start, end) {
      const length = end - start;
      if (length > cachedBytesMax || length === 0) return decode(bytes, start, end);
      const guess = following[last]!;
      if (isAt(guess, view, start, length)) return use(guess);
      const hash = hashOf(view, start, length);
      const home = (hash ^ (hash >>> 15)) & mask;
      for (let probe = 0; probe < probes; probe++) {
        const slot = (home + probe) & mask;
        if (hashes[slot] === hash && isAt(slot, view, start, length)) return use(slot);
      }
      const text = decode(bytes, start, end);
      return text === undefined ? undefined : remember(home, hash, text);
    },
  };
}

/** Four bytes at a time. Collisions are expected: users of the hash compare the bytes too. */
export function hashOf(view: DataView, start: number, length: number): number {
  let hash = length;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    hash = Math.imul(hash ^ view.getInt32(start + i, true), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  for (; i < length; i++) hash = Math.imul(hash ^ view.getUint8(start + i), 0x01000193);
  return hash ^ (hash >>> 13);
}

function sameBytes(a: DataView, aStart: number, b: DataView, bStart: number, length: number): boolean {
  const last = length - 4;
  for (let i = 0; i < last; i += 4) {
    if (a.getInt32(aStart + i, true) !== b.getInt32(bStart + i, true)) return false;
  }
  if (last >= 0) return a.getInt32(aStart + last, true) === b.getInt32(bStart + last, true);
  for (let i = 0; i < length; i++) if (a.getUint8(aStart + i) !== b.getUint8(bStart + i)) return false;
  return true;
}
