import { randomBytes } from "node:crypto";
import { closeOnce } from "@devicemesh/kit/lifetime/close-once";
import {
  collections,
  type DeadLetterDocument,
  type DuplicateWindowDocument,
  type MessageDocument,
  type PartialDocument,
  partialsCollection,
  type SeriesDuplicatesDocument,
  type SettingsDocument,
} from "@devicemesh/pipeline";
import { openMongo } from "@devicemesh/pipeline/mongo-client";
import {
  alignDown,
  type DeviceMessage,
  defaultLevels,
  identityOf,
  type Level,
  type SensorName,
} from "@devicemesh/proto";
import type { AnyBulkWriteOperation, Db, Document } from "mongodb";
import { mergePartials } from "../../src/plan/merge.ts";
import { latestConflictsMax } from "../../src/store/latest-conflicts.ts";
import {
  createMongoReadingStore,
  type MongoReadingStore,
} from "../../src/store/mongo/mongo-reading-store.ts";
import { partialOfStored, type StoredPartial, type StoredReading } from "../memory-store/memory-scans.ts";
import {
  figuresOf,
  insertAll,
  markOf,
  messageDocument,
  partialId,
  sketchesOf,
  valuesOf,
} from "./mongo-documents-fixture.ts";

/** A database that a test fills like the sinks, the window job, the dead-letter reader and the aggregator. */
export type MeshFixture = {
  readonly db: Db;
  readonly store: MongoReadingStore;
  /** Stores new messages, and makes dead letters and marks of the others. */
  publish(messages: readonly DeviceMessage[]): Promise<void>;
  /** Folds closed segments, and moves the frontiers; those of a slow mesh stay a segment behind. */
  fold(options?: { readonly isSlow?: boolean }): Promise<void>;
  /** Repairs all windows with duplicates, at the frontier. */
  repair(): Promise<void>;
  /** Forgets readings that others have deleted: if they are sent again, they are stored again. */
  noticeDeleted(): Promise<void>;
  /** The levels, the finest first. */
  frontiersMs(): readonly number[];
  advance(ms: number): void;
  nowMs(): number;
  close(): Promise<void>;
};

/** An index, as the operator defines it. */
export type FixtureIndex = {
  readonly collection: string;
  readonly name: string;
  readonly fields: readonly string[];
};

/** Opens a separate database, with settings and indexes, and deletes it when it is closed. */
export async function openMeshFixture(options: {
  readonly url: string;
  readonly indexes: readonly FixtureIndex[];
  readonly retainRawMs?: number;
  /** Levels above the finest are folded from raw readings, so that they are pure. */
  readonly isCoarsePure?: boolean;
  /** Whether partials of a segment get sketches, as a newer aggregator adds them; all by default. */
  readonly isSketched?: (segmentMs: number) => boolean;
}): Promise<MeshFixture> {
  const { url, indexes, retainRawMs, isCoarsePure = false, isSketched = () => true } = options;
  const database = `query_test_${randomBytes(6).toString("hex")}`;
  const connection = openMongo({ url, database, appName: "query-test" });
  const { db } = connection;
  for (const { collection, name, fields } of indexes) {
    await db
      .collection(collection)
      .createIndex(Object.fromEntries(fields.map((field) => [field, 1])), { name });
  }
  await db.collection<SettingsDocument>(collections.settings).insertOne({
    _id: "mesh",
    levels: defaultLevels.map(({ windowMs, segmentMs }) => ({ window_ms: windowMs, segment_ms: segmentMs })),
    partitions: 1,
    retain_raw_ms: retainRawMs ?? null,
  });

  let nowMs = Date.UTC(2026, 10, 24, 11, 59, 30, 17);
  const clock = () => nowMs;
  const store = createMongoReadingStore({ db, clock, horizonCacheMs: 0 });
  const log: StoredReading[] = [];
  const stored = new Map<string, StoredReading>();
  const partials: StoredPartial[][] = defaultLevels.map(() => []);
  const duplicates = new Map<string, SeriesDuplicatesDocument>();
  const frontiersMs = defaultLevels.map(() => 0);
  await publishFrontier();
  // From here on the store knows its levels.
  await store.readHorizon(new AbortController().signal);

  function addDuplicate({ deviceId, sensor, timestampMs, value }: DeviceMessage, stored: number): void {
    const _id = `${deviceId}|${sensor}`;
    const before = duplicates.get(_id);
    const [timestamp, arrived] = [new Date(timestampMs), new Date(nowMs)];
    const conflict = { timestamp, stored_value: stored, refused_value: value, arrived };
    const isConflict = stored !== value;
    duplicates.set(_id, {
      _id,
      device_id: deviceId,
      sensor,
      duplicates: (before?.duplicates ?? 0) + Number(!isConflict),
      conflicts: (before?.conflicts ?? 0) + Number(isConflict),
      latest_conflicts: [...(isConflict ? [conflict] : []), ...(before?.latest_conflicts ?? [])].slice(
        0,
        latestConflictsMax,
      ),
    });
  }

  async function publishFrontier(): Promise<void> {
    await db.collection(collections.frontier).updateOne(
      { _id: "frontier" as unknown as Document["_id"] },
      {
        $set: {
          complete_through: new Date(nowMs),
          frontiers: frontiersMs.map((ms) => new Date(ms)),
          ...(isCoarsePure && { coarse_pure_since: new Date(0) }),
          log_end: log.length > 0 ? new Date(log.at(-1)?.arrivedMs as number) : null,
          updated: new Date(nowMs),
        },
      },
      { upsert: true },
    );
  }

  async function foldLevel(level: number, toMs: number): Promise<void> {
    const { windowMs, segmentMs } = defaultLevels[level] as Level;
    const sinceMs = partials[level]?.at(-1)?.segmentMs ?? Number.NEGATIVE_INFINITY;
    const readings = level === 1 && isCoarsePure ? [...stored.values()] : level === 0 ? log : undefined;
    const below = readings?.map(partialOfStored) ?? (partials[level - 1] as StoredPartial[]);
    const closed = below
      .filter((partial) => alignDown(partial.segmentMs, segmentMs) > sinceMs && partial.segmentMs < toMs)
      .sort((a, b) => a.segmentMs - b.segmentMs);
    const groups = Map.groupBy(closed, (partial) => partialId(partial, { windowMs, segmentMs }));
    const values = level > 0 ? valuesOf([...stored.values()], defaultLevels[level] as Level) : undefined;
    const documents: PartialDocument[] = [];
    for (const [id, group] of groups) {
      const [first] = group as [StoredPartial];
      const merged = {
        ...first,
        ...mergePartials(group),
        windowMs: alignDown(first.windowMs, windowMs),
        segmentMs: alignDown(first.segmentMs, segmentMs),
      };
      partials[level]?.push(merged);
      documents.push({
        _id: id,
        device_id: first.deviceId,
        sensor: first.sensor,
        window_start: new Date(merged.windowMs),
        segment_start: new Date(merged.segmentMs),
        ...figuresOf(merged),
        ...(values && isSketched(merged.segmentMs) && { sketches: sketchesOf(values.get(id) ?? []) }),
      });
    }
    await insertAll(db.collection<PartialDocument>(partialsCollection(level, windowMs)), documents);
  }

  const close = closeOnce(async () => {
    store.close();
    await db.dropDatabase();
    await connection[Symbol.asyncDispose]();
  });

  return {
    db,
    store,
    async publish(messages) {
      const fresh: MessageDocument[] = [];
      const letters: DeadLetterDocument[] = [];
      const marks: AnyBulkWriteOperation<DuplicateWindowDocument>[] = [];
      for (const message of messages) {
        const offset = log.length;
        const reading = { ...message, arrivedMs: nowMs };
        log.push(reading);
        const identity = identityOf(message);
        const known = stored.get(identity);
        if (!known) {
          stored.set(identity, reading);
          fresh.push(messageDocument(identity, reading, offset));
          continue;
        }
        letters.push({
          _id: `processed_messages/0/${offset}`,
          kind: known.value === message.value ? "duplicate" : "conflict",
          reason: "known",
          stage: "TASK_PUT",
          key: identity,
          value: null,
          topic: "processed_messages",
          partition: 0,
          offset,
          arrived: new Date(nowMs),
        });
        marks.push(markOf(message, nowMs));
        addDuplicate(message, known.value);
      }
      await insertAll(db.collection<MessageDocument>(collections.messages), fresh);
      await insertAll(db.collection<DeadLetterDocument>(collections.deadLetters), letters);
      const duplicateWindows = db.collection<DuplicateWindowDocument>(collections.duplicateWindows);
      if (marks.length > 0) await duplicateWindows.bulkWrite(marks);
      for (const document of duplicates.values()) {
        await db
          .collection<SeriesDuplicatesDocument>(collections.seriesDuplicates)
          .replaceOne({ _id: document._id }, document, { upsert: true });
      }
      await publishFrontier();
    },
    async fold({ isSlow = false } = {}) {
      let toMs = nowMs;
      for (const [level, { segmentMs }] of defaultLevels.entries()) {
        // A level folds only data before the next finer frontier, even if there are later partials.
        toMs = alignDown(toMs, segmentMs);
        await foldLevel(level, toMs);
        const reachedMs = isSlow ? toMs - segmentMs : toMs;
        frontiersMs[level] = Math.max(frontiersMs[level] as number, reachedMs);
        toMs = frontiersMs[level] as number;
      }
      const names = new Map(
        partials[0]?.map(({ deviceId, sensor }) => [`${deviceId}|${sensor}`, { deviceId, sensor }]),
      );
      const upserts = [...names].map(([_id, { deviceId, sensor }]) => ({
        updateOne: {
          filter: { _id },
          update: { $setOnInsert: { device_id: deviceId, sensor } },
          upsert: true,
        },
      }));
      const series = db.collection<{ _id: string; device_id: string; sensor: SensorName }>(
        collections.series,
      );
      if (upserts.length > 0) await series.bulkWrite(upserts);
      await publishFrontier();
    },
    async repair() {
      const throughMs = frontiersMs[0] as number;
      if (throughMs === 0) return;
      const { windowMs: sizeMs } = defaultLevels[0] as Level;
      const duplicateWindows = db.collection<DuplicateWindowDocument>(collections.duplicateWindows);
      for (const window of await duplicateWindows.find().toArray()) {
        const windowMs = window.window_start.getTime();
        const before = [...stored.values()]
          .map(partialOfStored)
          .filter(
            (partial) =>
              partial.deviceId === window.device_id &&
              partial.sensor === window.sensor &&
              alignDown(partial.windowMs, sizeMs) === windowMs &&
              partial.segmentMs < throughMs,
          );
        const figures = before.length > 0 ? figuresOf(mergePartials(before)) : { count: 0 as const };
        await duplicateWindows.updateOne(
          { _id: window._id },
          { $set: { repair: { through: new Date(throughMs), ...figures } } },
        );
      }
    },
    async noticeDeleted() {
      const identities = new Set(await db.collection<MessageDocument>(collections.messages).distinct("_id"));
      for (const identity of stored.keys()) if (!identities.has(identity)) stored.delete(identity);
    },
    frontiersMs: () => frontiersMs,
    advance(ms) {
      nowMs += ms;
    },
    nowMs: clock,
    close,
  };
}
