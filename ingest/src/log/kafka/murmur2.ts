/**
 * Returns the partition that Kafka's own clients choose for this key: its murmur2 hash, made positive, modulo the
 * number of partitions. A device stays in its partition whichever instance appends, while the number of partitions
 * stays the same. `key` is ASCII, like device ids.
 */
export function partitionOf(key: string, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}

const seed = 0x9747b28c;
const multiplier = 0x5bd1e995;

/** Returns MurmurHash2 of an ASCII text with the seed of Kafka's clients, as a signed 32-bit integer. */
export function murmur2(text: string): number {
  const { length } = text;
  let hash = seed ^ length;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    const word =
      text.charCodeAt(i) |
      (text.charCodeAt(i + 1) << 8) |
      (text.charCodeAt(i + 2) << 16) |
      (text.charCodeAt(i + 3) << 24);
    const mixed = Math.imul(word, multiplier);
    hash = Math.imul(hash, multiplier) ^ Math.imul(mixed ^ (mixed >>> 24), multiplier);
  }
  if (i < length) {
    for (let rest = length - 1; rest >= i; rest--) hash ^= text.charCodeAt(rest) << (8 * (rest - i));
    hash = Math.imul(hash, multiplier);
  }
  hash = Math.imul(hash ^ (hash >>> 13), multiplier);
  return hash ^ (hash >>> 15);
}
