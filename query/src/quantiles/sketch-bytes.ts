import type { Sketch } from "./sketch-quantiles.ts";
import { bucketBits } from "./value-buckets.ts";

// A sketch as bytes, for stores that keep it in one field: `bucketBits`, the number of values, then for each bucket, in
// order, its distance from the bucket before and its number of values. All are variable-length integers of 7 bits a
// byte; the first distance, from 0, has its sign in its lowest bit. A bucket takes 2 to 3 bytes.

/** The longest integer: 32 bits. */
const integerBytesMax = 5;

/** Returns a sketch of at least one value as bytes. */
export function sketchBytes(sketch: Sketch): Uint8Array {
  const buckets = [...sketch].sort(([a], [b]) => a - b);
  const bytes = new Uint8Array((2 + 2 * buckets.length) * integerBytesMax);
  let end = 0;
  function put(integer: number): void {
    let rest = integer;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[end++] = (rest % 0x80) | 0x80;
    bytes[end++] = rest;
  }
  put(bucketBits);
  put(buckets.reduce((sum, [, count]) => sum + count, 0));
  let before: number | undefined;
  for (const [bucket, count] of buckets) {
    if (before === undefined) put(bucket < 0 ? -2 * bucket - 1 : 2 * bucket);
    else put(bucket - before);
    put(count);
    before = bucket;
  }
  return bytes.slice(0, end);
}

/** Returns the number of values of sketches in all; undefined if one is of another version. */
export function countOfSketches(sketches: readonly Uint8Array[]): number | undefined {
  let sum = 0;
  for (const bytes of sketches) {
    const next = createReader(bytes);
    if (next() !== bucketBits) return undefined;
    sum += next();
  }
  return sum;
}

/** Adds the counts of a sketch of this version to a sum. @throws RangeError if the bytes are cut. */
export function addSketchBytes(sum: Map<number, number>, bytes: Uint8Array): void {
  const next = createReader(bytes);
  next();
  let left = next();
  let bucket: number | undefined;
  while (left > 0) {
    const distance = next();
    bucket = bucket === undefined ? signed(distance) : bucket + distance;
    const count = next();
    sum.set(bucket, (sum.get(bucket) ?? 0) + count);
    left -= count;
  }
}

function signed(integer: number): number {
  return integer % 2 === 1 ? -(integer + 1) / 2 : integer / 2;
}

/** Returns a function that reads one integer after the other. */
function createReader(bytes: Uint8Array): () => number {
  let place = 0;
  return () => {
    let integer = 0;
    for (let unit = 1; ; unit *= 0x80) {
      const byte = bytes[place++];
      if (byte === undefined) throw new RangeError("a sketch ends before its last bucket");
      integer += (byte & 0x7f) * unit;
      if (byte < 0x80) return integer;
    }
  };
}
