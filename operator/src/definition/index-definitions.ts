import { collections, partialsCollection } from "@devicemesh/pipeline";
import type { Level } from "@devicemesh/proto";

/** The desired state of an index. */
export type IndexDefinition = {
  readonly collection: string;
  readonly name: string;
  /** The fields in order, all ascending. */
  readonly fields: readonly string[];
};

/**
 * Returns every index of a mesh's database, except those on `_id`. None makes documents expire: only folded documents
 * before a retention mark may be deleted.
 */
export function indexDefinitions(options: { readonly levels: readonly Level[] }): readonly IndexDefinition[] {
  const { levels } = options;
  const { messages, duplicateWindows, deadLetters, series, seriesDuplicates } = collections;
  return [
    // Edges of timeframes and dirty windows of some series; repairs.
    { collection: messages, name: "series_time", fields: ["device_id", "sensor", "timestamp"] },
    // Edges of timeframes over all series, pages of readings in order, and expiry.
    { collection: messages, name: "time_series", fields: ["timestamp", "device_id", "sensor"] },
    // The readings that arrived since the frontier. New series.
    { collection: messages, name: "arrived", fields: ["arrived"] },
    ...levels.flatMap(({ windowMs }, level) => partialIndexes(partialsCollection(level, windowMs))),
    // The dirty windows of some series, or of all in a timeframe.
    {
      collection: duplicateWindows,
      name: "series_window",
      fields: ["device_id", "sensor", "window_start"],
    },
    { collection: duplicateWindows, name: "window", fields: ["window_start"] },
    // The windows to repair: those with duplicates since the last poll.
    { collection: duplicateWindows, name: "last_repeat", fields: ["last_repeat"] },
    // The number of letters of each kind, and whether a partial is among the invalid ones.
    { collection: deadLetters, name: "kind", fields: ["kind", "topic"] },
    // The number of letters of a series, to count them again.
    { collection: deadLetters, name: "series_kind", fields: ["device_id", "sensor", "kind"] },
    { collection: seriesDuplicates, name: "series", fields: ["device_id", "sensor"] },
    // Lists of series in order.
    { collection: series, name: "series", fields: ["device_id", "sensor"] },
  ];
}

function partialIndexes(collection: string): IndexDefinition[] {
  return [
    {
      collection,
      name: "series_window",
      fields: ["device_id", "sensor", "window_start", "segment_start"],
    },
    // Windows of all series in a timeframe, and expiry.
    { collection, name: "window_segment", fields: ["window_start", "segment_start"] },
    // The partials of closed segments, which the next level folds.
    { collection, name: "segment", fields: ["segment_start"] },
  ];
}
