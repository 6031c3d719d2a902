import { collections, type SeriesDuplicatesDocument } from "@devicemesh/chain";
import type { Db, Document } from "mongodb";
import type { SeriesDuplicates } from "./latest-conflicts.ts";
import { callMongo, largeCall } from "./mongo-call.ts";
import { seriesCondition } from "./mongo-conditions.ts";
import type { ReadingStore } from "./reading-store.ts";

type DuplicatesRequest = Parameters<ReadingStore["readDuplicates"]>[0];

/** The condition of a request. Pure. */
export function duplicatesCondition({ filter, after }: DuplicatesRequest): Document {
  const isAfter = after && {
    $or: [
      { device_id: { $gt: after.deviceId } },
      { device_id: after.deviceId, sensor: { $gt: after.sensor } },
    ],
  };
  // The first condition bounds the index, also where a database does not look into $or.
  const since = after ? { device_id: { $gte: after.deviceId } } : { device_id: { $gte: "" } };
  return { $and: [since, seriesCondition(filter), ...(isAfter ? [isAfter] : [])] };
}

/** Reads the series that had duplicates or conflicts, in their order. @throws what `callMongo` throws. */
export async function findDuplicates(
  db: Db,
  request: DuplicatesRequest,
  signal: AbortSignal,
): Promise<SeriesDuplicates[]> {
  const found = await callMongo(signal, largeCall, (options) =>
    db
      .collection<SeriesDuplicatesDocument>(collections.seriesDuplicates)
      .find(duplicatesCondition(request), options)
      .sort({ device_id: 1, sensor: 1 })
      .limit(request.limit)
      .toArray(),
  );
  return found.map((document) => ({
    deviceId: document.device_id,
    sensor: document.sensor,
    duplicates: Number(document.duplicates),
    conflicts: Number(document.conflicts),
    latestConflicts: document.latest_conflicts.map((conflict) => ({
      timestampMs: conflict.timestamp.getTime(),
      storedValue: Number(conflict.stored_value),
      refusedValue: Number(conflict.refused_value),
      arrivedMs: conflict.arrived.getTime(),
    })),
  }));
}
