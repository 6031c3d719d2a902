import { collections, type FrontierDocument, type SettingsDocument } from "@devicemesh/pipeline";
import { defaultLevels } from "@devicemesh/proto";
import type { Document } from "mongodb";

/** For tests: the documents of a horizon whose levels all have their frontier at `frontierMs`, by collection. `fields` adds to the frontier's. */
export function horizonDocuments({
  nowMs,
  frontierMs,
  fields = {},
}: {
  readonly nowMs: number;
  readonly frontierMs: number;
  readonly fields?: Partial<FrontierDocument>;
}): Readonly<Record<string, Document>> {
  return {
    [collections.settings]: {
      _id: "mesh",
      levels: defaultLevels.map(({ windowMs, segmentMs }) => ({
        window_ms: windowMs,
        segment_ms: segmentMs,
      })),
      partitions: 1,
      retain_raw_ms: null,
    } satisfies SettingsDocument,
    [collections.frontier]: {
      _id: "frontier",
      complete_through: new Date(nowMs),
      frontiers: defaultLevels.map(() => new Date(frontierMs)),
      log_end: null,
      updated: new Date(nowMs),
      ...fields,
    },
  };
}
