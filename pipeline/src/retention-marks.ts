import { alignUp, type KeptSince, nothingDeleted } from "@devicemesh/proto";
import type { RetentionDocument, SettingsDocument } from "./mongo-documents.ts";

/** Returns the document of retention marks. */
export function retentionDocument({ rawMs, levelsMs }: KeptSince): RetentionDocument {
  const dateOf = (ms: number): Date => new Date(Math.max(ms, 0));
  return { _id: "marks", raw: dateOf(rawMs), levels: levelsMs.map(dateOf) };
}

/** Returns the retention marks of a document, for the given number of levels. */
export function marksOf(document: RetentionDocument, levels: readonly unknown[]): KeptSince {
  const msOf = (date: Date | undefined): number => date?.getTime() || Number.NEGATIVE_INFINITY;
  return { rawMs: msOf(document.raw), levelsMs: levels.map((_, level) => msOf(document.levels[level])) };
}

/**
 * Returns the retention marks of a mesh. A mesh with an older operator has none: until a newer one writes them, raw
 * readings may have been deleted according to the settings, and windows not at all.
 */
export function keptSinceOf(
  document: RetentionDocument | null,
  { settings, nowMs }: { readonly settings: SettingsDocument; readonly nowMs: number },
): KeptSince {
  const { levels, retain_raw_ms: retainRawMs } = settings;
  if (document) return marksOf(document, levels);
  const finestMs = Number(levels[0]?.window_ms ?? 1);
  return {
    ...nothingDeleted(levels),
    ...(retainRawMs !== null && { rawMs: alignUp(nowMs - Number(retainRawMs), finestMs) }),
  };
}
