import { collections, type DuplicateWindowDocument, windowId } from "@devicemesh/pipeline";
import type { Db } from "mongodb";
import type { AggregatorStore } from "../store/aggregator-store.ts";

const maxTimeMS = 30_000;

/** Before `coarse_pure_since`: no coarse level serves a window with such a repeat. */
const beforeEverything = new Date(0);

/** Marks windows, in the database. */
export function createMongoLateAppendMarks(db: Db): Pick<AggregatorStore, "markLateAppends"> {
  const duplicates = db.collection<DuplicateWindowDocument>(collections.duplicateWindows);
  return {
    async markLateAppends(windows, frontierMs) {
      if (windows.length === 0) return;
      await duplicates.bulkWrite(
        windows.map(({ deviceId, sensor, windowMs, arrivedMs }) => ({
          updateOne: {
            filter: { _id: windowId({ deviceId, sensor, windowMs }) },
            update: {
              $setOnInsert: {
                device_id: deviceId,
                sensor: sensor as DuplicateWindowDocument["sensor"],
                window_start: new Date(windowMs),
              },
              $min: { first_repeat: beforeEverything },
              // Not before any repair: it was made at a frontier, and may lack the message. Nor before the message.
              $max: { last_repeat: new Date(Math.max(frontierMs, arrivedMs)) },
            },
            upsert: true,
          },
        })),
        { ordered: false, maxTimeMS },
      );
    },
  };
}
