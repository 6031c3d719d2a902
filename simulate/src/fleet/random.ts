/** Mixes 32 bits into an unsigned 32-bit number (the finalizer of MurmurHash3, public domain). */
function mix(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The hash of two numbers: the same for the same numbers, in any order of calls. */
export function hashOf(a: number, b: number): number {
  return mix(mix(a) ^ Math.imul(b + 1, 0x9e3779b9));
}

/** A hash as a number in [0, 1). */
export function unitOf(hash: number): number {
  return (hash >>> 0) / 4_294_967_296;
}

/** Reproducible randomness. */
type Random = {
  /** In [0, 1). */
  next(): number;
  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number;
};

/** Creates randomness: the same seed gives the same numbers. */
export function createRandom(seed: number): Random {
  let count = 0;
  const next = (): number => unitOf(hashOf(seed, count++));
  return { next, between: (least, most) => least + Math.floor(next() * (most - least + 1)) };
}
