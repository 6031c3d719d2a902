/** Counts distinct (level, window, segment) of one device after the other, in reused memory. */
export type PairSet = {
  /** Begins the next device, with at most `pairsMax` pairs. */
  begin(pairsMax: number): void;
  /** Adds a pair, and returns whether it is new. */
  add(level: number, window: number, segment: number): boolean;
};

/** Creates one: a hash table with open addressing, in which a stamp marks the entries of other devices. */
export function createPairSet(): PairSet {
  let [windows, segments, stamps] = tables(1024);
  let mask = 1023;
  let stamp = 0;

  return {
    begin(pairsMax) {
      let size = 1024;
      while (size < 2 * pairsMax) size *= 2;
      if (size > stamps.length) {
        [windows, segments, stamps] = tables(size);
        stamp = 0;
      }
      mask = size - 1;
      stamp++;
    },
    add(level, window, segment) {
      // Four levels at most: the segment's number leaves two bits free.
      const tag = (segment << 2) | level;
      let place = (Math.imul(window, 0x9e3779b1) ^ Math.imul(tag, 0x85ebca6b)) & mask;
      while (stamps[place] === stamp) {
        if (windows[place] === window && segments[place] === tag) return false;
        place = (place + 1) & mask;
      }
      stamps[place] = stamp;
      windows[place] = window;
      segments[place] = tag;
      return true;
    },
  };
}

function tables(size: number): [Int32Array, Int32Array, Int32Array] {
  return [new Int32Array(size), new Int32Array(size), new Int32Array(size)];
}
