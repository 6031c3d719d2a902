import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { type RowRange, rowRange } from "./row-range.ts";

/**
 * The body of a table of which only the visible rows exist, so that 100,000 rows scroll like 100. Rows have one
 * height in pixels; `onRange` is called with the rows that exist.
 */
export function VirtualRows({
  count,
  rowHeight,
  maxHeight,
  label,
  header,
  row,
  onRange,
}: {
  readonly count: number;
  readonly rowHeight: number;
  readonly maxHeight: number;
  readonly label: string;
  /** The header row, as a `role="row"`. */
  readonly header: ComponentChildren;
  readonly row: (index: number) => ComponentChildren;
  readonly onRange?: (range: RowRange) => void;
}) {
  const viewport = useRef<HTMLDivElement>(null);
  const [scrollTop, setScrollTop] = useState(0);
  const height = Math.min(maxHeight, count * rowHeight);
  const range = rowRange({ scrollTop, viewport: height, rowHeight, count });
  useEffect(() => onRange?.(range), [range.first, range.end]);
  useEffect(() => {
    // A shorter list may end before the place to which the longer one was scrolled.
    setScrollTop(viewport.current?.scrollTop ?? 0);
  }, [count]);
  const rows = Array.from({ length: range.end - range.first }, (_, index) => row(range.first + index));
  return (
    <div
      role="table"
      aria-label={label}
      aria-rowcount={count + 1}
      class="rows"
      style={{ "--row-height": `${rowHeight}px` }}
    >
      <div role="rowgroup" class="rows-head">
        {header}
      </div>
      <div
        role="rowgroup"
        class="rows-body"
        tabIndex={0}
        aria-label={label}
        ref={viewport}
        style={{ height: `${height}px` }}
        onScroll={(event) => setScrollTop(event.currentTarget.scrollTop)}
      >
        <div role="presentation" style={{ height: `${count * rowHeight}px`, position: "relative" }}>
          <div role="presentation" style={{ transform: `translateY(${range.first * rowHeight}px)` }}>
            {rows}
          </div>
        </div>
      </div>
    </div>
  );
}
