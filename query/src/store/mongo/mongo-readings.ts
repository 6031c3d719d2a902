import { collections, type MessageDocument } from "@devicemesh/pipeline";
import type { DeviceMessage } from "@devicemesh/proto";
import type { Db, Document } from "mongodb";
import type { ReadingKey, ReadingStore } from "../reading-store.ts";
import { between, seriesCondition } from "./mongo-conditions.ts";
import type { LargeReadOptions } from "./mongo-large-reads.ts";

/** With `arrivedToMs`, only readings that arrived before. */
type ReadingsRequest = Parameters<ReadingStore["readReadings"]>[0] & { readonly arrivedToMs?: number };

/** The order of readings, which is that of an index. */
const order = ["timestamp", "device_id", "sensor"] as const;

/** Returns the pipeline that finds a page of readings. Pure. */
export function readingsPipeline(request: ReadingsRequest): Document[] {
  const { filter, descending, after, limit, arrivedToMs = Number.POSITIVE_INFINITY } = request;
  let { sinceMs, toMs } = request;
  if (after) {
    // Readings that precede the position by their time alone are not read at all.
    if (descending) toMs = Math.min(toMs, after.timestampMs + 1);
    else sinceMs = Math.max(sinceMs, after.timestampMs);
  }
  const conditions = [
    between("timestamp", sinceMs, toMs),
    { ...seriesCondition(filter), ...(after && { $or: placesAfter(after, descending) }) },
    between("arrived", Number.NEGATIVE_INFINITY, arrivedToMs),
  ];
  const direction = descending ? -1 : 1;
  return [
    ...conditions
      .filter((condition) => Object.keys(condition).length > 0)
      .map((condition) => ({ $match: condition })),
    { $sort: Object.fromEntries(order.map((field) => [field, direction])) },
    { $limit: limit },
    { $project: { _id: 0, device_id: 1, sensor: 1, timestamp: 1, value: 1 } },
  ];
}

/** Reads a page of readings. */
export async function findReadings(
  db: Db,
  request: ReadingsRequest,
  options: LargeReadOptions,
): Promise<DeviceMessage[]> {
  type Row = Pick<MessageDocument, "device_id" | "sensor" | "timestamp" | "value">;
  const { limit } = request;
  const rows = await db
    .collection(collections.messages)
    .aggregate<Row>(readingsPipeline(request), { ...options, batchSize: limit })
    .toArray();
  return rows.map((row) => ({
    deviceId: row.device_id,
    sensor: row.sensor,
    timestampMs: row.timestamp.getTime(),
    value: Number(row.value),
  }));
}

/**
 * Returns the conditions, one of which holds for a reading after the position. Strings compare by bytes, because all
 * are ASCII.
 */
function placesAfter({ timestampMs, deviceId, sensor }: ReadingKey, descending: boolean): Document[] {
  const beyond = (value: unknown): Document => (descending ? { $lt: value } : { $gt: value });
  const timestamp = new Date(timestampMs);
  return [
    { timestamp: beyond(timestamp) },
    { timestamp, device_id: beyond(deviceId) },
    { timestamp, device_id: deviceId, sensor: beyond(sensor) },
  ];
}
