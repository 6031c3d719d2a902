import { collections, type MessageDocument, type PartialDocument } from "@devicemesh/pipeline";
import { alignDown, isoMilliseconds } from "@devicemesh/proto";
import { addSketchBytes, addValues } from "@devicemesh/query";
import { Binary, type Collection, type Db, type Document, MongoServerError } from "mongodb";
import { sketchBucketsMax, sketchSliceMs } from "../limits.ts";
import { alignedDate } from "./mongo-partials.ts";
import { createSketchSums, type SketchPart, type SketchSums } from "./sketch-sums.ts";

/** Time limit of one read or write, in ms. */
const maxTimeMS = 60_000;

/** Number of partials in one write. */
const writeRows = 1000;

/** Number of rows in one response of the database. */
const batchSize = 10_000;

/**
 * The database cannot do it, today or ever: MaxTimeMSExpired, DocumentValidationFailure (an older operator made the
 * collection), ExceededMemoryLimit, QueryExceededMemoryLimitNoDiskUseAllowed, BSONObjectTooLarge.
 */
const unableCodes: ReadonlySet<unknown> = new Set([50, 121, 146, 292, 10_334]);

/** A segment of a level whose partials are folded, and have no sketches yet. */
export type SketchFold = {
  readonly sinceMs: number;
  readonly toMs: number;
  /** The size of the level's windows. */
  readonly windowMs: number;
  readonly into: Collection<PartialDocument>;
};

/**
 * Adds sketches to the partials of coarse levels, with bounded memory and in bounded reads. Those of very many series
 * are appended in parts, which readers add up. Readers use a sketch only if it counts as many readings as its partial: if
 * a part is missing or was appended twice, or if the partial counts duplicates, raw readings stand in for it.
 */
export function createMongoSketches({
  db,
  onUnable,
  bucketsMax = sketchBucketsMax,
  sliceMs = sketchSliceMs,
}: {
  readonly db: Db;
  /** Called if partials remain without sketches, because the database cannot add them: the frontier must move. */
  readonly onUnable: (error: unknown) => void;
  readonly bucketsMax?: number | undefined;
  readonly sliceMs?: number | undefined;
}) {
  const messages = db.collection<MessageDocument>(collections.messages);
  const options = { maxTimeMS, batchSize, allowDiskUse: true };

  async function addAll(
    { sinceMs, into }: SketchFold,
    read: (sums: SketchSums) => Promise<void>,
  ): Promise<void> {
    const segment = isoMilliseconds(sinceMs);
    async function write(parts: readonly SketchPart[], isWhole: boolean): Promise<void> {
      for (let start = 0; start < parts.length; start += writeRows) {
        const updates = parts.slice(start, start + writeRows).map(({ window, bytes }) => {
          const part = new Binary(bytes);
          // A former leader that still writes the same segment sets the same.
          const update: Document = isWhole ? { $set: { sketches: [part] } } : { $push: { sketches: part } };
          return { updateOne: { filter: { _id: `${window}|${segment}` }, update } };
        });
        await into.bulkWrite(updates, { ordered: false, maxTimeMS });
      }
    }
    const sums = createSketchSums({ bucketsMax, write });
    try {
      await read(sums);
      await sums.end();
    } catch (error) {
      if (!(error instanceof MongoServerError) || !unableCodes.has(error.code)) throw error;
      onUnable(error);
    }
  }

  return {
    /** Adds sketches of the readings that arrived in the segment. Each identity is stored once, so it counts once. */
    fromReadings: (fold: SketchFold): Promise<void> =>
      addAll(fold, async (sums) => {
        type Values = {
          readonly d: string;
          readonly s: string;
          readonly w: Date;
          readonly v: readonly number[];
        };
        for (let startMs = fold.sinceMs; startMs < fold.toMs; startMs += sliceMs) {
          const slice = { $gte: new Date(startMs), $lt: new Date(Math.min(startMs + sliceMs, fold.toMs)) };
          const rows = messages.aggregate<Values>(
            [
              { $match: { arrived: slice } },
              {
                $group: {
                  _id: { d: "$device_id", s: "$sensor", w: alignedDate("$timestamp", fold.windowMs) },
                  v: { $push: "$value" },
                },
              },
              { $project: { _id: 0, d: "$_id.d", s: "$_id.s", w: "$_id.w", v: 1 } },
            ],
            options,
          );
          for await (const { d, s, w, v } of rows) {
            await sums.add({ deviceId: d, sensor: s, windowMs: w.getTime() }, (sketch) =>
              addValues(sketch, v.map(Number)),
            );
          }
        }
      }),

    /** Adds up the sketches of the partials of the next finer level, of the matching devices. */
    fromPartials: (fold: SketchFold, finer: Collection<PartialDocument>, devices: Document): Promise<void> =>
      addAll(fold, async (sums) => {
        const segment = { $gte: new Date(fold.sinceMs), $lt: new Date(fold.toMs) };
        const rows = finer.aggregate<
          Pick<PartialDocument, "device_id" | "sensor" | "window_start" | "sketches">
        >(
          [
            { $match: { segment_start: segment, device_id: devices } },
            { $project: { _id: 0, device_id: 1, sensor: 1, window_start: 1, sketches: 1 } },
          ],
          options,
        );
        for await (const { device_id: deviceId, sensor, window_start, sketches = [] } of rows) {
          const windowMs = alignDown(window_start.getTime(), fold.windowMs);
          await sums.add({ deviceId, sensor, windowMs }, (sketch) => {
            for (const { buffer, position } of sketches) {
              addSketchBytes(sketch, buffer.subarray(0, position));
            }
          });
        }
      }),
  };
}
