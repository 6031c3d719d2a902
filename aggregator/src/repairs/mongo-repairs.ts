import {
  collections,
  type DuplicateWindowDocument,
  type MessageDocument,
  type PartialFigures,
  type Repair,
  windowId,
} from "@devicemesh/pipeline";
import type { AnyBulkWriteOperation, Db } from "mongodb";
import { readRawKeptSince } from "../levels/mongo-frontier.ts";
import { alignedDate, readingsFigures, readingsGroup } from "../levels/mongo-partials.ts";
import type { AggregatorStore } from "../store/aggregator-store.ts";

/** A span is bounded, and so are its readings: a request that takes longer will not succeed. */
const maxTimeMS = 30_000;

/** Finds and repairs windows with duplicates in the database. */
export function createMongoRepairs(options: {
  readonly db: Db;
  /** The size of the finest windows. */
  readonly windowMs: number;
  /** Ms since 1970. */
  readonly clock: () => number;
}): Pick<AggregatorStore, "findDuplicateWindows" | "repair"> {
  const { db, windowMs, clock } = options;
  const duplicates = db.collection<DuplicateWindowDocument>(collections.duplicateWindows);
  const messages = db.collection<MessageDocument>(collections.messages);

  return {
    async findDuplicateWindows({ lastDuplicateSinceMs, frontierMs, rawKeptSinceMs, limit }) {
      const found = await duplicates
        .find(
          {
            last_repeat: { $gte: new Date(lastDuplicateSinceMs), $lt: new Date(frontierMs) },
            ...(Number.isFinite(rawKeptSinceMs) && { window_start: { $gte: new Date(rawKeptSinceMs) } }),
            $expr: { $lte: [{ $ifNull: ["$repair.through", new Date(0)] }, "$last_repeat"] },
          },
          { maxTimeMS },
        )
        .sort({ last_repeat: 1 })
        .limit(limit)
        .toArray();
      return found.map((document) => ({
        deviceId: document.device_id,
        sensor: document.sensor,
        windowMs: document.window_start.getTime(),
        firstDuplicateMs: document.first_repeat.getTime(),
        lastDuplicateMs: document.last_repeat.getTime(),
        repairedThroughMs: document.repair?.through.getTime(),
      }));
    },
    async repair({ deviceId, sensor, sinceMs, toMs }, throughMs) {
      const through = new Date(throughMs);
      const pipeline = [
        {
          $match: {
            device_id: deviceId,
            sensor,
            timestamp: { $gte: new Date(sinceMs), $lt: new Date(toMs) },
            arrived: { $lt: through },
          },
        },
        { $group: { _id: alignedDate("$timestamp", windowMs), ...readingsGroup } },
        readingsFigures.mean,
        { $project: { _id: 0, window_start: "$_id", ...readingsFigures.fields } },
      ];
      type Row = PartialFigures & { readonly window_start: Date };
      const rows = await messages.aggregate<Row>(pipeline, { maxTimeMS, allowDiskUse: true }).toArray();
      // Read after the readings: any deletion by then lies before this mark, which moves first.
      const rawKeptSinceMs = await readRawKeptSince(db, clock);
      const byWindow = new Map(rows.map((row) => [row.window_start.getTime(), row]));
      const updates: AnyBulkWriteOperation<DuplicateWindowDocument>[] = [];
      for (let startMs = sinceMs; startMs < toMs; startMs += windowMs) {
        if (startMs < rawKeptSinceMs) continue;
        const { window_start: _, ...figures } = byWindow.get(startMs) ?? {
          window_start: 0,
          count: 0 as const,
        };
        const repair: Repair = { through, ...figures };
        updates.push({
          updateOne: {
            // A repair never goes back: one that was made at a later frontier includes more.
            filter: {
              _id: windowId({ deviceId, sensor, windowMs: startMs }),
              $or: [{ "repair.through": { $exists: false } }, { "repair.through": { $lt: through } }],
            },
            update: { $set: { repair } },
          },
        });
      }
      if (updates.length > 0) await duplicates.bulkWrite(updates, { ordered: false, maxTimeMS });
    },
  };
}
