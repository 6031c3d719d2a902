import {
  collections,
  type DuplicateWindowDocument,
  type FrontierDocument,
  type MessageDocument,
  marksOf,
  type PartialDocument,
  partialsCollection,
  type RetentionDocument,
  retentionDocument,
  type SettingsDocument,
  windowId,
} from "@devicemesh/pipeline";
import { alignUp, clockAheadMaxMs, type Level, nothingDeleted, refusalMarginMs } from "@devicemesh/proto";
import type { Db, Document } from "mongodb";
import { oldestPartialsMax } from "../limits.ts";
import type { RetentionStore } from "./retention-store.ts";

const maxTimeMS = 30_000;

/** The retention data in the mesh's database. */
export function createMongoRetentionStore(options: {
  readonly db: Db;
  /** The levels of windows, the finest first. */
  readonly levels: readonly Level[];
  /** Ms since 1970. */
  readonly clock: () => number;
}): RetentionStore {
  const { db, levels, clock } = options;
  const marksCollection = db.collection<RetentionDocument>(collections.retention);
  const messages = db.collection<MessageDocument>(collections.messages);
  const settingsOf = (): Promise<SettingsDocument | null> =>
    db.collection<SettingsDocument>(collections.settings).findOne({ _id: "mesh" }, { maxTimeMS });

  /** Deletes the first documents that match a filter, in the order of an index. */
  async function deleteFirst(
    collection: string,
    filter: Document,
    by: string,
    limit: number,
  ): Promise<number> {
    const documents = db.collection<{ _id: string }>(collection);
    const found = await documents
      .find(filter, { maxTimeMS })
      .sort({ [by]: 1 })
      .limit(limit)
      .project<{ _id: string }>({ _id: 1 })
      .toArray();
    if (found.length > 0) {
      await documents.deleteMany({ _id: { $in: found.map(({ _id }) => _id) } }, { maxTimeMS });
    }
    return found.length;
  }

  /** Returns the arrival of the oldest raw reading in ms; undefined if there is none. */
  async function oldestArrivalMs(): Promise<number | undefined> {
    const [oldest] = await messages.find({}, { maxTimeMS }).sort({ arrived: 1 }).limit(1).toArray();
    return oldest?.arrived.getTime();
  }

  /** Whether there are windows of readings that arrived before all stored ones and were not rejected. */
  async function isOlderWindowThan(arrivedMs: number): Promise<boolean> {
    const segmentMs = levels[0]?.segmentMs ?? 1;
    const partials = await db
      .collection<PartialDocument>(collections.windows)
      .find({ segment_start: { $lte: new Date(arrivedMs - segmentMs) } }, { maxTimeMS })
      .sort({ segment_start: 1 })
      .limit(oldestPartialsMax)
      .toArray();
    const ids = partials.map(({ device_id, sensor, window_start }) =>
      windowId({ deviceId: device_id, sensor, windowMs: window_start.getTime() }),
    );
    const refused = await db
      .collection<DuplicateWindowDocument>(collections.duplicateWindows)
      .countDocuments({ _id: { $in: ids } }, { maxTimeMS });
    return new Set(ids).size > refused;
  }

  async function readFrontiers(): Promise<readonly number[]> {
    const found = await db
      .collection<FrontierDocument>(collections.frontier)
      .findOne({ _id: "frontier" }, { maxTimeMS });
    return levels.map((_, level) => found?.frontiers[level]?.getTime() ?? 0);
  }

  return {
    async readMarks(signal) {
      const document = await marksCollection.findOne({ _id: "marks" }, { maxTimeMS, signal });
      return document ? marksOf(document, levels) : undefined;
    },
    async raiseMarks(marks) {
      const { raw, levels: levelMarks } = retentionDocument(marks);
      const forward = Object.fromEntries(levelMarks.map((mark, level) => [`levels.${level}`, mark]));
      // Creates an element for each level first, so that `levels.N` addresses an element of the list.
      const { _id, ...first } = retentionDocument(nothingDeleted(levels));
      await marksCollection.updateOne({ _id }, { $setOnInsert: first }, { upsert: true, maxTimeMS });
      await marksCollection.updateOne({ _id }, { $max: { raw, ...forward } }, { maxTimeMS });
    },
    async concludeMarks() {
      // Older operators let the database delete readings that had arrived this much before their retention.
      const expiredMs = clock() - refusalMarginMs;
      const settings = await settingsOf();
      const bounds = settings?.retain_raw_ms == null ? [] : [expiredMs - Number(settings.retain_raw_ms)];
      const arrivedMs = (await oldestArrivalMs()) ?? (await readFrontiers())[0] ?? 0;
      // Everything that arrived earlier is deleted, and a timestamp may be ahead of its arrival.
      if (await isOlderWindowThan(arrivedMs)) bounds.push(Math.min(arrivedMs + clockAheadMaxMs, expiredMs));
      const nothing = nothingDeleted(levels);
      if (bounds.length === 0) return nothing;
      return { ...nothing, rawMs: alignUp(Math.max(...bounds), levels[0]?.windowMs ?? 1) };
    },
    readFrontiers,
    deleteReadings: ({ beforeMs, arrivedBeforeMs, limit }) =>
      deleteFirst(
        collections.messages,
        { timestamp: { $lt: new Date(beforeMs) }, arrived: { $lt: new Date(arrivedBeforeMs) } },
        "timestamp",
        limit,
      ),
    deletePartials: ({ level, beforeMs, segmentBeforeMs, limit }) =>
      deleteFirst(
        partialsCollection(level, levels[level]?.windowMs ?? 0),
        {
          window_start: { $lt: new Date(beforeMs) },
          segment_start: { $lt: new Date(segmentBeforeMs) },
        },
        "window_start",
        limit,
      ),
  };
}
