import { collections, type SeriesDuplicatesDocument } from "@devicemesh/pipeline";
import type { Db, Document } from "mongodb";
import type { SeriesDuplicates } from "../latest-conflicts.ts";
import type { ReadingStore } from "../reading-store.ts";
import { callMongo, largeCall } from "./mongo-call.ts";
import { registeredStages } from "./mongo-series.ts";

type DuplicatesRequest = Parameters<ReadingStore["readDuplicates"]>[0];

/** Returns the pipeline of a request. Pure. */
export function duplicatesPipeline({ filter, after, limit }: DuplicatesRequest): Document[] {
  return [
    ...registeredStages({ filter, except: [], after }),
    { $sort: { device_id: 1, sensor: 1 } },
    { $limit: limit },
  ];
}

/** Reads the series that had duplicates or conflicts, in their order. @throws the errors of `callMongo`. */
export async function findDuplicates(
  db: Db,
  request: DuplicatesRequest,
  signal: AbortSignal,
): Promise<SeriesDuplicates[]> {
  const found = await callMongo(signal, largeCall, (options) =>
    db
      .collection(collections.seriesDuplicates)
      .aggregate<SeriesDuplicatesDocument>(duplicatesPipeline(request), options)
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
