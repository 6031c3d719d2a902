import { identitiesMax } from "../limits.ts";
/** The relation of a reading to the readings counted before. */
export type Repeat =
  /** The first of its identity (device, sensor, timestamp in milliseconds). */
  | "first"
  /** A duplicate: the same value again. */
  | "duplicate"
  /** A conflict: another value; the first one counts. */
  | "conflict"
  /** Unknown: the maximum number of identities is reached. */
  | "unknown";

/** Recognizes duplicates and conflicts. */
export type RepeatCounter = {
  look(deviceId: string, sensorCode: number, timestampMs: number, value: number): Repeat;
};

/**
 * Remembers the identities of the first readings by a hash of 64 bits, in columns that grow with them: 16 bytes of hash
 * and value, at a load of at most 2/3. With four million identities, the probability that two of them share a hash is
 * one in a million.
 */
export function createRepeatCounter(max = identitiesMax): RepeatCounter {
  let slots = 1 << 12;
  let keysLow = new Uint32Array(slots);
  let keysHigh = new Uint32Array(slots);
  let values = new Float64Array(slots);
  let used = 0;

  /** Returns the slot of the key, or the free one for it. */
  function slotOf(low: number, high: number): number {
    let slot = (low ^ Math.imul(high, 0x9e3779b1)) & (slots - 1);
    while (
      (keysLow[slot] !== low || keysHigh[slot] !== high) &&
      (keysLow[slot] !== 0 || keysHigh[slot] !== 0)
    ) {
      slot = (slot + 1) & (slots - 1);
    }
    return slot;
  }

  function grow(): void {
    const before = { keysLow, keysHigh, values };
    slots *= 2;
    keysLow = new Uint32Array(slots);
    keysHigh = new Uint32Array(slots);
    values = new Float64Array(slots);
    before.keysLow.forEach((low, from) => {
      const high = before.keysHigh[from]!;
      if (low === 0 && high === 0) return;
      const slot = slotOf(low, high);
      keysLow[slot] = low;
      keysHigh[slot] = high;
      values[slot] = before.values[from]!;
    });
  }

  return {
    look(deviceId, sensorCode, timestampMs, value) {
      const { low, high } = identityHash(deviceId, sensorCode, timestampMs);
      const slot = slotOf(low, high);
      if (keysLow[slot] !== 0 || keysHigh[slot] !== 0)
        return values[slot] === value ? "duplicate" : "conflict";
      if (used >= max) return "unknown";
      keysLow[slot] = low;
      keysHigh[slot] = high;
      values[slot] = value;
      used += 1;
      if (3 * used > 2 * slots) grow();
      return "first";
    },
  };
}

// Two hashes of 32 bits with different multipliers over the same words; never both 0, which marks a free slot.
function identityHash(deviceId: string, sensorCode: number, timestampMs: number) {
  let low = Math.imul(sensorCode + 1, 0x85ebca6b);
  let high = Math.imul(sensorCode + 1, 0xc2b2ae35);
  const add = (word: number): void => {
    low = Math.imul(low ^ word, 0x01000193);
    low ^= low >>> 15;
    high = Math.imul(high ^ word, 0x27d4eb2f);
    high ^= high >>> 13;
  };
  for (let at = 0; at < deviceId.length; at++) add(deviceId.charCodeAt(at));
  add(timestampMs >>> 0);
  add(Math.floor(timestampMs / 2 ** 32));
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b) >>> 0;
  high = Math.imul(high ^ (high >>> 16), 0xc2b2ae35) >>> 0;
  return { low, high: low === 0 && high === 0 ? 1 : high };
}
