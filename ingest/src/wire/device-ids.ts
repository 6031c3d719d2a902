import { deviceIdPattern, sensorNamePattern } from "@devicemesh/proto";

/** Converts the bytes of valid names to strings quickly; equal bytes give the same string. */
export type InternedNames = {
  /**
   * Returns the name in bytes[start, end), or undefined if it does not match the pattern. `view` must be of the same
   * bytes.
   */
  intern(bytes: Buffer, view: DataView, start: number, end: number): string | undefined;
};

/** Interns device ids. */
export type DeviceIds = InternedNames;

/** Default number of remembered device ids: at most 8 MiB. */
export const deviceIdSlots = 65_536;

/** Longer names are decoded each time; this is the contract's limit. */
const cachedBytesMax = 128;
/** Number of slots that a name may use. More slots fit more names into a full table, and cost more for each miss. */
const probes = 4;

/** Interns device ids that match the contract's pattern. */
export function createDeviceIds({ slots = deviceIdSlots }: { readonly slots?: number } = {}): DeviceIds {
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
  const arena = new Uint8Array(slots * cachedBytesMax);
  const arenaView = new DataView(arena.buffer);
  let turn = 0;

  function decode(bytes: Buffer, start: number, end: number): string | undefined {
    // Latin-1 keeps every byte distinct, and no byte above 127 is in the patterns.
    const text = bytes.toString("latin1", start, end);
    return pattern.test(text) ? text : undefined;
  }

  function remember(
    home: number,
    hash: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): string | undefined {
    const text = decode(bytes, start, end);
    if (text === undefined) return undefined;
    let slot = -1;
    for (let probe = 0; probe < probes && slot < 0; probe++) {
      if (lengths[(home + probe) & mask] === 0) slot = (home + probe) & mask;
    }
    if (slot < 0) slot = (home + (turn++ % probes)) & mask;
    strings[slot] = text;
    hashes[slot] = hash;
    lengths[slot] = end - start;
    arena.set(bytes.subarray(start, end), slot * cachedBytesMax);
    return text;
  }

  return {
    intern(bytes, view, start, end) {
      const length = end - start;
      if (length > cachedBytesMax || length === 0) return decode(bytes, start, end);
      const hash = hashOf(view, start, length);
      const home = (hash ^ (hash >>> 15)) & mask;
      for (let probe = 0; probe < probes; probe++) {
        const slot = (home + probe) & mask;
        if (
          hashes[slot] === hash &&
          lengths[slot] === length &&
          sameBytes(view, start, arenaView, slot * cachedBytesMax, length)
        ) {
          return strings[slot];
        }
      }
      return remember(home, hash, bytes, start, end);
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
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    if (a.getInt32(aStart + i, true) !== b.getInt32(bStart + i, true)) return false;
  }
  for (; i < length; i++) {
    if (a.getUint8(aStart + i) !== b.getUint8(bStart + i)) return false;
  }
  return true;
}
