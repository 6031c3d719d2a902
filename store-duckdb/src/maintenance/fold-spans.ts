import { alignDown, alignUp } from "@devicemesh/proto";

/**
 * Approximate number of rows that one statement folds. The groups of this many rows still fit the processor's cache:
 * ten million rows at once took twice the time and hundreds of MiB.
 */
const rowsPerSpan = 262_144;

/** Divides the time of a fold into spans of whole windows, of about equal length and with few enough rows. */
export function foldSpans(extent: {
  readonly rows: number;
  /** The first and the last time of the rows, in ms. */
  readonly firstMs: number;
  readonly lastMs: number;
  readonly windowMs: number;
}): { readonly sinceMs: number; readonly toMs: number }[] {
  const { rows, firstMs, lastMs, windowMs } = extent;
  if (rows === 0) return [];
  const startMs = alignDown(firstMs, windowMs);
  const endMs = alignDown(lastMs, windowMs) + windowMs;
  const lengthMs = alignUp((endMs - startMs) / Math.ceil(rows / rowsPerSpan), windowMs);
  const spans = [];
  for (let sinceMs = startMs; sinceMs < endMs; sinceMs += lengthMs) {
    spans.push({ sinceMs, toMs: Math.min(sinceMs + lengthMs, endMs) });
  }
  return spans;
}
