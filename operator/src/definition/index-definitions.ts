import { collections, partialsCollection } from "@devicemesh/pipeline";
import type { Level } from "@devicemesh/proto";

/** An index as it should be. */
export type IndexDefinition = {
  readonly collection: string;
  readonly name: string;
  /** The fields, all ascending, in the order that counts. */
  readonly fields: readonly string[];
};

/**
 * Every index of a mesh's database, beside those on `_id`. None makes documents expire: only what is folded and lies
 * before a retention mark may be deleted.
 */
export function indexDefinitions(options: { readonly levels: readonly Level[] }): readonly IndexDefinition[] {
  const { levels } = options;
  const { messages, windowRepeats, deadLetters, series, seriesDuplicates } = collections;
  return [
    // Ragged edges and dirty windows of some series; repairs.
    { collection: messages, name: "series_time", fields: ["device_id", "sensor", "timestamp"] },
    // Ragged edges over all series, pages of readings in their order, and expiry.
    { collection: messages, name: "time_series", fields: ["timestamp", "device_id", "sensor"] },
    // The tail: what has arrived since the frontier. New series.
    { collection: messages, name: "arrived", fields: ["arrived"] },
    ...levels.flatMap(({ windowMs }, level) => partialIndexes(partialsCollection(level, windowMs))),
    // Which windows of some series, or of all in a timeframe, are dirty.
    {
      collection: windowRepeats,
      name: "series_window",
      fields: ["device_id", "sensor", "window_start"],
    },
    { collection: windowRepeats, name: "window", fields: ["window_start"] },
    // What needs repair: whatever was repeated since the last look.
    { collection: windowRepeats, name: "last_repeat", fields: ["last_repeat"] },
    // How many of each kind, and whether a partial is among the invalid ones.
    { collection: deadLetters, name: "kind", fields: ["kind", "topic"] },
    // How many of a series, to count them again.
    { collection: deadLetters, name: "series_kind", fields: ["device_id", "sensor", "kind"] },
    { collection: seriesDuplicates, name: "series", fields: ["device_id", "sensor"] },
    // Lists of series in their order.
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
    // What a level above folds: the partials of closed segments.
    { collection, name: "segment", fields: ["segment_start"] },
  ];
}
