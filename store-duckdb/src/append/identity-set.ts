import type { createLoopShare } from "@devicemesh/kit/async/event-loop-share";

/**
 * A set of identities, of 4 bytes a slot, that keeps hashes only. What was added is always found; of a million others
 * less than one is found, too.
 */
export type IdentitySet = {
  /** Adds an identity; returns false if it, or one with the same hash, was there. There must be a reserve for it. */
  add(series: number, timestampMs: number): boolean;
  /** Makes space for `count` more; resolves to false, and changes nothing, if they would be too many. */
  reserve(count: number, share: ReturnType<typeof createLoopShare>): Promise<boolean>;
  /** Whether an identity could not be added. The set must be discarded then. */
  readonly isOverflown: boolean;
  /** Number of identities. */
  readonly size: number;
};

/** Slots of the largest set: 64 MiB. */
const slotsMax = 2 ** 24;

/** Number of identities in the largest set. */
export const identitiesMax = slotsMax * 0.75;

/** A smaller set grows when this part of its slots is used. */
const growAtShare = 0.5;

/**
 * An identity has a group by one hash, and by the other one, which is stored, a slot within the group. A group can
 * therefore grow without the identities.
 */
const groupBits = 12;
const groups = 2 ** groupBits;
const firstSlotBits = 6;
const groupsPerPiece = 256;

/** Creates an empty set. `seed` makes its hashes unpredictable for those who choose the timestamps. */
export function createIdentitySet(seed: number = Math.floor(Math.random() * 2 ** 32)): IdentitySet {
  let slotBits = firstSlotBits;
  let slots = new Uint32Array(groups << slotBits);
  let size = 0;
  let isOverflown = false;

  async function grow(share: ReturnType<typeof createLoopShare>): Promise<void> {
    const larger = new Uint32Array(slots.length * 2);
    for (let group = 0; group < groups; group++) {
      for (let at = group << slotBits; at < (group + 1) << slotBits; at++) {
        const word = slots[at] as number;
        if (word !== 0) put(larger, slotBits + 1, group, word);
      }
      if (group % groupsPerPiece === 0) await share();
    }
    slots = larger;
    slotBits++;
  }

  return {
    add(series, timestampMs) {
      const ofSeries = Math.imul(series ^ seed, 0x9e3779b1) + Math.floor(timestampMs / 2 ** 32);
      const low = timestampMs | 0;
      const word = mixed(ofSeries ^ Math.imul(low, 0xcc9e2d51)) || 1;
      const group = mixed(Math.imul(ofSeries, 0x27d4eb2f) + (low ^ seed)) >>> (32 - groupBits);
      const outcome = put(slots, slotBits, group, word);
      if (outcome === "added") size++;
      if (outcome === "full") isOverflown = true;
      return outcome === "added";
    },
    async reserve(count, share) {
      const needed = size + count;
      if (needed > identitiesMax) return false;
      while (slots.length < slotsMax && needed > slots.length * growAtShare) await grow(share);
      return true;
    },
    get isOverflown() {
      return isOverflown;
    },
    get size() {
      return size;
    },
  };
}

/** Puts a word into its group, at the first free slot after its own. */
function put(slots: Uint32Array, slotBits: number, group: number, word: number): "added" | "found" | "full" {
  const [first, mask] = [group << slotBits, (1 << slotBits) - 1];
  let slot = word >>> (32 - slotBits);
  for (let probes = 0; probes <= mask; probes++) {
    const found = slots[first + slot];
    if (found === word) return "found";
    if (found === 0) {
      slots[first + slot] = word;
      return "added";
    }
    slot = (slot + 1) & mask;
  }
  return "full";
}

/** The finalizer of MurmurHash3: each bit of the result depends on all bits. */
function mixed(hash: number): number {
  let bits = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
