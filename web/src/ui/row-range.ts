/** The rows from `first` (inclusive) to `end` (exclusive) of a long list. */
export type RowRange = { readonly first: number; readonly end: number };

const spareRows = 6;

/** Returns the rows that a scrolled viewport needs, with spare ones on both sides. Pure. */
export function rowRange(options: {
  readonly scrollTop: number;
  readonly viewport: number;
  readonly rowHeight: number;
  readonly count: number;
}): RowRange {
  const { scrollTop, viewport, rowHeight, count } = options;
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - spareRows);
  const end = Math.min(count, Math.ceil((scrollTop + viewport) / rowHeight) + spareRows);
  return { first: Math.min(first, end), end };
}
