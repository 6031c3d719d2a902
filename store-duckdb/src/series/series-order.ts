/** Codes of series in an order that is kept as they are added, so that a page is found without sorting. */
export type SeriesOrder = {
  /** Puts a code in its place; some microseconds, however many there are. */
  add(code: number): void;
  /** The codes in order, from the first one that does not come before the place sought. */
  from(isBefore: (code: number) => boolean): Generator<number>;
};

/** Codes in a block at most: large enough that there are few blocks, small enough that an insertion moves little. */
const blockMax = 1024;

/** Makes an order by `compare`, with codes that are in order already. */
export function createSeriesOrder(
  compare: (a: number, b: number) => number,
  sorted: ArrayLike<number> = [],
): SeriesOrder {
  const blocks: number[][] = [];
  for (let start = 0; start < sorted.length; start += blockMax / 2) {
    blocks.push(Array.prototype.slice.call(sorted, start, start + blockMax / 2));
  }

  /** The place of the first item that is not before; the length if there is none. */
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
