import type { ReadingColumns } from "../append/duplicate-filter.ts";

/** The readings of one window, in columns that grow. */
export type RawBlock = {
  length: number;
  series: Int32Array | Uint16Array;
  /** The timestamps, in ms after the start of the window. */
  offsets: Uint16Array;
  /** The value of a reading is `values[row] / divisor`. */
  values: Float64Array | Int32Array;
  divisor: number;
  /** The columns are as small as they can be; the next reading makes them large again. */
  isCompact: boolean;
  /** It has more readings than `blockRowsMax`, and therefore none. */
  isTooLarge: boolean;
};

/** Maximum number of readings of one block. */
export const blockRowsMax = 65_536;

/** Approximate size of a block beside its readings, in bytes. */
const ownBytes = 400;

/** Creates an empty block. */
export function createRawBlock(): RawBlock {
  return {
    length: 0,
    series: new Int32Array(0),
    offsets: new Uint16Array(0),
    values: new Float64Array(0),
    divisor: 1,
    isCompact: false,
    isTooLarge: false,
  };
}

/** Returns the size of a block in bytes. */
export function bytesOfBlock({ series, offsets, values }: RawBlock): number {
  return series.byteLength + offsets.byteLength + values.byteLength + ownBytes;
}

/** Adds readings to the blocks of their places, each a window of `windowMs`; those without a block are left out. */
export function addToBlocks(
  { length, series, timestampsMs, values }: Readonly<ReadingColumns>,
  windowMs: number,
  blockOf: (place: number) => RawBlock | undefined,
): void {
  let first = 0;
  while (first < length) {
    const place = Math.floor((timestampsMs[first] as number) / windowMs);
    const startMs = place * windowMs;
    let end = first + 1;
    while (end < length && isWithin(timestampsMs[end] as number, startMs, windowMs)) end++;
    const block = blockOf(place);
    if (block && reserve(block, end - first)) {
      block.series.set(series.subarray(first, end), block.length);
      block.values.set(values.subarray(first, end), block.length);
      for (let row = first; row < end; row++) {
        block.offsets[block.length++] = (timestampsMs[row] as number) - startMs;
      }
    }
    first = end;
  }
}

/**
 * Makes the columns as small as they can be: 8 bytes a reading instead of 14 if the series are the first 65,536 and the
 * values decimal numbers with a few digits, as sensors send them. Every value stays the same to the last bit.
 */
export function compact(block: RawBlock): void {
  const { length, series, offsets, values } = block;
  if (block.isCompact) return;
  const divisor = divisorOf(values, length);
  block.series = isSmall(series, length)
    ? Uint16Array.from(series.subarray(0, length))
    : series.slice(0, length);
  block.offsets = offsets.slice(0, length);
  block.values = divisor === undefined ? values.slice(0, length) : multiplied(values, length, divisor);
  block.divisor = divisor ?? 1;
  block.isCompact = true;
}

function isWithin(ms: number, startMs: number, windowMs: number): boolean {
  return ms >= startMs && ms < startMs + windowMs;
}

/** Makes space for more readings; returns false, and empties the block, if they are too many. */
function reserve(block: RawBlock, more: number): boolean {
  const length = block.length + more;
  if (block.isTooLarge) return false;
  if (length > blockRowsMax) {
    Object.assign(block, createRawBlock(), { isTooLarge: true });
    return false;
  }
  if (block.isCompact || length > block.values.length) {
    resize(block, Math.max(length, block.isCompact ? 0 : block.values.length * 2));
  }
  return true;
}

/** Gives a block columns for any readings. */
function resize(block: RawBlock, capacity: number): void {
  const { length, series, offsets, values, divisor } = block;
  block.series = new Int32Array(capacity);
  block.offsets = new Uint16Array(capacity);
  block.values = new Float64Array(capacity);
  block.series.set(series.subarray(0, length));
  block.offsets.set(offsets.subarray(0, length));
  for (let row = 0; row < length; row++) block.values[row] = (values[row] as number) / divisor;
  block.divisor = 1;
  block.isCompact = false;
}

const divisors = [1, 10, 100, 1000, 10_000] as const;

/** Returns the smallest divisor with which every value is a whole number of 32 bits; undefined if there is none. */
function divisorOf(values: RawBlock["values"], length: number): number | undefined {
  let at = 0;
  for (let row = 0; row < length; row++) {
    while (!isQuotient(values[row] as number, divisors[at] as number)) {
      at++;
      if (at === divisors.length) return undefined;
    }
  }
  // A larger divisor than that of its own decimals can make a number too large.
  const divisor = divisors[at] as number;
  for (let row = 0; row < length; row++) if (!isQuotient(values[row] as number, divisor)) return undefined;
  return divisor;
}

/** Whether a value is exactly a whole number of 32 bits divided by `divisor`. */
function isQuotient(value: number, divisor: number): boolean {
  const whole = Math.round(value * divisor);
  return (whole | 0) === whole && whole / divisor === value && !Object.is(value, -0);
}

function multiplied(values: RawBlock["values"], length: number, divisor: number): Int32Array {
  const whole = new Int32Array(length);
  for (let row = 0; row < length; row++) whole[row] = Math.round((values[row] as number) * divisor);
  return whole;
}

function isSmall(series: RawBlock["series"], length: number): boolean {
  for (let row = 0; row < length; row++) if ((series[row] as number) > 0xffff) return false;
  return true;
}
