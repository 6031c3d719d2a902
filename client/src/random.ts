/** Returns numbers from 0 inclusive to 1 exclusive. */
export type Random = () => number;

/**
 * Returns a 32-bit number that is pseudo-random and depends only on its arguments: the counter and the two halves of the
 * key pass through the finalizer of MurmurHash3, which spreads every bit over all others. It is stateless, so a hundred
 * thousand devices need two words each.
 */
export function randomBits(key: { low: number; high: number }, counter: number): number {
  return mix(mix((key.low + Math.imul(counter, 0x9e3779b9)) | 0) ^ key.high);
}

/** Returns the key of one stream of random numbers out of many: the same seed and stream give the same key. */
export function randomKey(seed: bigint, stream: number): { low: number; high: number } {
  const seedLow = Number(BigInt.asUintN(32, seed)) | 0;
  const seedHigh = Number(BigInt.asUintN(32, seed >> 32n)) | 0;
  const low = mix(mix(seedLow ^ mix(stream + 0x632be5ab)) ^ mix(seedHigh + 0x2545f491));
  return { low, high: mix(low ^ mix(seedHigh ^ mix(stream + 0x1b873593))) };
}

/** Returns a stream of random numbers: the same seed and stream give the same numbers. */
export function createRandom(seed: bigint, stream: number): Random {
  const key = randomKey(seed, stream);
  let counter = 0;
  return () => (randomBits(key, counter++) >>> 0) / 2 ** 32;
}

/** Returns a number from the exponential distribution with that mean: the time until a random event. */
export function exponential(random: Random, mean: number): number {
  return -mean * Math.log(1 - random());
}

function mix(word: number): number {
  let bits = word;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
