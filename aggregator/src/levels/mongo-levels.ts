import {
  collections,
  type PartialDocument,
  partialsCollection,
  type SeriesDocument,
} from "@devicemesh/pipeline";
import type { Level } from "@devicemesh/proto";
import { firstSketchedLevel } from "@devicemesh/query";
import type { Collection, Db } from "mongodb";
import { foldSeriesMax } from "../limits.ts";
import type { AggregatorStore } from "../store/aggregator-store.ts";
import { alignedDate, foldedDocument, mergeInto, partialsFigures, partialsGroup } from "./mongo-partials.ts";
import { createMongoRawFold } from "./mongo-raw-fold.ts";
import { createMongoSketches } from "./mongo-sketches.ts";

/** A pipeline that takes longer is cancelled; the next attempt writes its documents again. */
const foldTimeMaxMs = 60_000;
const readTimeMaxMs = 10_000;

/** Folds of the coarse levels and the registry of series, in the database. */
export function createMongoLevels(options: {
  readonly db: Db;
  /** The levels, the finest first. */
  readonly levels: readonly Level[];
  /** Returns the timestamp (ms) before which raw readings may be deleted. */
  readonly rawKeptSinceMs: () => Promise<number>;
  /** See createMongoSketches. */
  readonly onUnable?: (error: unknown) => void;
  readonly seriesMax?: number;
}): Pick<AggregatorStore, "registerSeries" | "firstSegment" | "foldSegment"> {
  const { db, levels, rawKeptSinceMs, onUnable = () => {}, seriesMax = foldSeriesMax } = options;
  const rawFold = createMongoRawFold(db);
  const sketches = createMongoSketches({ db, onUnable });
  const series = db.collection<SeriesDocument>(collections.series);

  function nameOf(level: number): string {
    return partialsCollection(level, (levels[level] as Level).windowMs);
  }
  function partials(level: number): Collection<PartialDocument> {
    return db.collection<PartialDocument>(nameOf(level));
  }

  /** Returns the last device of the next batch after `after`; undefined if the rest is one batch. */
  async function lastOfBatch(after: string): Promise<string | undefined> {
    const [next] = await series
      .find({ device_id: { $gt: after } }, { maxTimeMS: readTimeMaxMs })
      .sort({ device_id: 1, sensor: 1 })
      .skip(seriesMax)
      .limit(1)
      .toArray();
    return next?.device_id;
  }

  /** Yields conditions of `device_id`, each for about `seriesMax` series. */
  async function* deviceBatches(): AsyncGenerator<{ readonly $gt: string; readonly $lte?: string }> {
    for (let after = ""; ; ) {
      const last = await lastOfBatch(after);
      yield last === undefined ? { $gt: after } : { $gt: after, $lte: last };
      if (last === undefined) return;
      after = last;
    }
  }

  /** The partials of the segment are new, and so without sketches, even if it was folded before. */
  async function addSketches(segment: {
    readonly level: number;
    readonly sinceMs: number;
    readonly toMs: number;
  }): Promise<void> {
    const { level } = segment;
    const fold = { ...segment, windowMs: (levels[level] as Level).windowMs, into: partials(level) };
    if (level === firstSketchedLevel) return sketches.fromReadings(fold);
    for await (const devices of deviceBatches()) {
      await sketches.fromPartials(fold, partials(level - 1), devices);
    }
  }

  async function foldDevices(
    fold: { readonly level: number; readonly sinceMs: number; readonly toMs: number },
    devices: { readonly $gt: string; readonly $lte?: string },
    except: readonly string[],
  ): Promise<void> {
    const segment = new Date(fold.sinceMs);
    const { windowMs } = levels[fold.level] as Level;
    const left = except.filter(
      (device) => device > devices.$gt && (devices.$lte === undefined || device <= devices.$lte),
    );
    const pipeline = [
      { $match: { segment_start: { $gte: segment, $lt: new Date(fold.toMs) }, device_id: devices } },
      ...(left.length > 0 ? [{ $match: { device_id: { $nin: left } } }] : []),
      {
        $group: {
          _id: {
            device_id: "$device_id",
            sensor: "$sensor",
            window_start: alignedDate("$window_start", windowMs),
          },
          ...partialsGroup,
        },
      },
      partialsFigures.mean,
      foldedDocument(segment, partialsFigures.fields),
      mergeInto(nameOf(fold.level)),
    ];
    await partials(fold.level - 1)
      .aggregate(pipeline, { maxTimeMS: foldTimeMaxMs, allowDiskUse: true })
      .toArray();
  }

  return {
    async registerSeries({ sinceMs, toMs }) {
      const pipeline = [
        { $match: { segment_start: { $gte: new Date(sinceMs), $lt: new Date(toMs) } } },
        { $group: { _id: { device_id: "$device_id", sensor: "$sensor" } } },
        {
          $project: {
            _id: { $concat: ["$_id.device_id", "|", "$_id.sensor"] },
            device_id: "$_id.device_id",
            sensor: "$_id.sensor",
          },
        },
        {
          $merge: {
            into: collections.series,
            on: "_id",
            whenMatched: "keepExisting",
            whenNotMatched: "insert",
          },
        },
      ];
      await partials(0).aggregate(pipeline, { maxTimeMS: foldTimeMaxMs, allowDiskUse: true }).toArray();
    },
    async firstSegment(level, sinceMs) {
      const [first] = await partials(level)
        .find({ segment_start: { $gte: new Date(sinceMs) } }, { maxTimeMS: readTimeMaxMs })
        .sort({ segment_start: 1 })
        .limit(1)
        .project<Pick<PartialDocument, "segment_start">>({ segment_start: 1 })
        .toArray();
      return first?.segment_start.getTime();
    },
    async foldSegment({ isPure, ...fold }) {
      const repeated = isPure ? await rawFold.devicesToFold(fold) : [];
      for await (const devices of deviceBatches()) await foldDevices(fold, devices, repeated);
      if (repeated.length > 0) {
        const { windowMs } = levels[fold.level] as Level;
        await rawFold.fold({ ...fold, windowMs, into: nameOf(fold.level) }, repeated);
        // Read after the raw readings: any deletion before they were read lies before this mark.
        const keptSinceMs = await rawKeptSinceMs();
        if (!(await rawFold.isAllKept(partials(0), { ...fold, keptSinceMs }))) return false;
      }
      await addSketches(fold);
      return true;
    },
  };
}
