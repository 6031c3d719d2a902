import { collections, partialsCollection } from "@devicemesh/chain";
import type { Level } from "@devicemesh/proto";

/** An index as it should be. */
export type IndexDefinition = {
  readonly collection: string;
  readonly name: string;
  /** The fields, all ascending, in the order that counts. */
  readonly fields: readonly string[];
  /** Documents are removed when their (only) field is so many seconds ago; for ever if left out. */
  readonly expireAfterSeconds?: number;
};

/** A timestamp may be ahead of its arrival by a day; an hour more for clocks and for the database's own pace. */
const expiryMarginSeconds = 86_400 + 3600;

/**
 * Every index of a mesh's database, beside those on `_id`. `retainRawMs` is how long readings are kept by their
 * timestamp; undefined for ever.
 */
export function indexDefinitions(options: {
  readonly levels: readonly Level[];
  readonly retainRawMs: number | undefined;
}): readonly IndexDefinition[] {
  const { levels, retainRawMs } = options;
  const { messages, windowRepeats, deadLetters, series, seriesDuplicates } = collections;
  const expiry =
    retainRawMs === undefined
      ? {}
      : { expireAfterSeconds: Math.ceil(retainRawMs / 1000) + expiryMarginSeconds };
  return [
    // Ragged edges and dirty windows of some series; repairs.
    { collection: messages, name: "series_time", fields: ["device_id", "sensor", "timestamp"] },
    // Ragged edges over all series, and pages of readings in their order.
    { collection: messages, name: "time_series", fields: ["timestamp", "device_id", "sensor"] },
    // The tail: what has arrived since the frontier. New series. Expiry.
    { collection: messages, name: "arrived", fields: ["arrived"], ...expiry },
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
    // How many of a series, to count them anew.
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
    // Windows of all series in a timeframe.
    { collection, name: "window_segment", fields: ["window_start", "segment_start"] },
    // What a level above folds: the partials of closed segments.
    { collection, name: "segment", fields: ["segment_start"] },
  ];
}
