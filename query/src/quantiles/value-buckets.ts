// The buckets of a sketch: a log-linear histogram over all finite doubles. The bucket of a value is its sign, its
// exponent and the leading bits of its mantissa, so it is the same on every engine, and a merge of sketches is the sum
// of their counts: the same sketch in any order and partition.

/** The leading bits of the mantissa that a bucket has: each power of two is divided into 2 ** 8 buckets. */
export const bucketBits = 8;

/** Values closer to 0 than this (the smallest normal double) are counted as 0: their exponent does not scale. */
export const zeroBelow = 2 ** -1022;

/**
 * The largest distance of a value from the middle of its bucket, relative to the value: a bucket of [low, high) has
 * high - low <= low * 2 ** -bucketBits, and its middle differs by at most half of that from any value in it.
 */
export const sketchRelativeError = 2 ** -(bucketBits + 1);

/** The bits of a double that a bucket leaves out. */
export const bucketShift = 52 - bucketBits;

/** The number of the bucket of 1 is less than that of its bits: bucket 1 begins at `zeroBelow`. */
export const bucketOffset = 2 ** bucketBits - 1;

const bits = new DataView(new ArrayBuffer(8));

/**
 * Returns the bucket of a finite value: 0 for 0, positive for positive values, and the same number, negated, for
 * negative ones. Larger values never have smaller buckets.
 */
export function valueBucket(value: number): number {
  bits.setFloat64(0, value);
  const place = ((bits.getUint32(0) & 0x7fff_ffff) >>> (bucketShift - 32)) - bucketOffset;
  if (place <= 0) return 0;
  return value < 0 ? -place : place;
}

/** Adds finite values to a sketch: the numbers of values by bucket. */
export function addValues(sketch: Map<number, number>, values: Iterable<number>): void {
  for (const value of values) {
    const bucket = valueBucket(value);
    sketch.set(bucket, (sketch.get(bucket) ?? 0) + 1);
  }
}

/** Returns the middle of a bucket. */
export function bucketMiddle(bucket: number): number {
  if (bucket === 0) return 0;
  const low = (Math.abs(bucket) + bucketOffset) * 2 ** (bucketShift - 32);
  bits.setUint32(0, low + 2 ** (bucketShift - 33));
  bits.setUint32(4, 0);
  const middle = bits.getFloat64(0);
  return bucket < 0 ? -middle : middle;
}
