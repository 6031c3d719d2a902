/** Codes of series in an order that is maintained as they are added, so that a page is found without sorting. */
export type SeriesOrder = {
  /** Inserts a code; a few microseconds, for any number of codes. */
  add(code: number): void;
  /** Returns the codes in order, from the first one that is not before the given place. */
  from(isBefore: (code: number) => boolean): Generator<number>;
};

/**
 * Maximum number of codes in a block: large enough that there are few blocks, small enough that an insertion moves
 * little.
 */
const blockMax = 1024;

/** Creates an order by `compare`, with codes that are already in order. */
export function createSeriesOrder(
  compare: (a: number, b: number) => number,
  sorted: ArrayLike<number> = [],
): SeriesOrder {
  const blocks: number[][] = [];
  for (let start = 0; start < sorted.length; start += blockMax / 2) {
    blocks.push(Array.prototype.slice.call(sorted, start, start + blockMax / 2));
  }

  /** Returns the index of the first item that is not before; the length if there is none. */
  function firstNot<T>(items: readonly T[], isBefore: (item: T) => boolean): number {
    let [low, high] = [0, items.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBefore(items[middle] as T)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
  const lastOf = (block: readonly number[]): number => block[block.length - 1] as number;

  return {
    add(code) {
      const isBefore = (other: number): boolean => compare(other, code) < 0;
      const found = firstNot(blocks, (block) => isBefore(lastOf(block)));
      const place = Math.min(found, blocks.length - 1);
      const block = blocks[place];
      if (!block) {
        blocks.push([code]);
        return;
      }
      block.splice(firstNot(block, isBefore), 0, code);
      if (block.length > blockMax) blocks.splice(place + 1, 0, block.splice(blockMax / 2));
    },
    *from(isBefore) {
      const start = firstNot(blocks, (block) => isBefore(lastOf(block)));
      for (let place = start; place < blocks.length; place++) {
        const block = blocks[place] as number[];
        const first = place === start ? firstNot(block, isBefore) : 0;
        for (let at = first; at < block.length; at++) yield block[at] as number;
      }
    },
  };
}
