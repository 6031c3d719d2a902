import type { Scan, SeriesSpan } from "../reading-store.ts";

/**
 * A database tests a document against each condition of a read in turn, so hundreds of spans make a read of ten
 * thousand documents take minutes. Pieces of neighbouring spans have few conditions and a short time range each.
 */
const pieceSizeMin = 25;

/** Each piece is a separate read, and all run concurrently. */
const piecesMax = 8;

const pieceSize = (count: number): number => Math.max(pieceSizeMin, Math.ceil(count / piecesMax));

/** Groups the spans by time; no groups if there are none. Pure. */
export function neighbours<Each extends SeriesSpan>(spans: readonly Each[]): Each[][] {
  const sorted = [...spans].sort((a, b) => a.sinceMs - b.sinceMs);
  const size = pieceSize(sorted.length);
  const groups: Each[][] = [];
  for (let start = 0; start < sorted.length; start += size) groups.push(sorted.slice(start, start + size));
  return groups;
}

/** Splits a scan into consecutive pieces in time, each of which overlaps few of the excepted spans. Pure. */
export function scanPieces(scan: Scan, except: readonly SeriesSpan[]): Scan[] {
  const inside = except.filter(({ sinceMs, toMs }) => sinceMs < scan.toMs && toMs > scan.sinceMs);
  const cutsMs = new Set(
    neighbours(inside)
      .slice(1)
      .map(([first]) => (first as SeriesSpan).sinceMs)
      .filter((cutMs) => cutMs > scan.sinceMs && cutMs < scan.toMs),
  );
  const bounds = [scan.sinceMs, ...cutsMs, scan.toMs];
  return bounds.slice(1).map((toMs, place) => ({ ...scan, sinceMs: bounds[place] as number, toMs }));
}
