/** A topic of which only the number of records and some of the records are known, and its one reader. */
export type SimulatedQueue<Each> = {
  /** Appends records without content. */
  fill(count: number): void;
  append(item: Each): void;
  /** Reads at most `count` records. */
  read(count: number, each: (item: Each) => void): void;
  commit(): void;
  /** Reads again from what is committed. */
  restart(): void;
  readonly end: number;
  readonly committed: number;
};

/** Creates an empty one. */
export function createQueue<Each>(): SimulatedQueue<Each> {
  // What is committed is dropped.
  let items: { readonly offset: number; readonly item: Each }[] = [];
  let end = 0;
  let position = 0;
  let committed = 0;

  return {
    fill(count) {
      end += count;
    },
    append(item) {
      items.push({ offset: end++, item });
    },
    read(count, each) {
      const to = Math.min(end, position + Math.ceil(count));
      for (const { offset, item } of items) {
        if (offset >= to) break;
        if (offset >= position) each(item);
      }
      position = to;
    },
    commit() {
      committed = position;
      const kept = items.findIndex(({ offset }) => offset >= committed);
      items = kept < 0 ? [] : items.slice(kept);
    },
    restart() {
      position = committed;
    },
    get end() {
      return end;
    },
    get committed() {
      return committed;
    },
  };
}
