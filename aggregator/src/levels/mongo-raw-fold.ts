import {
  collections,
  type DuplicateWindowDocument,
  type MessageDocument,
  type PartialDocument,
} from "@devicemesh/pipeline";
import type { Collection, Db } from "mongodb";
import { foldDevicesMax } from "../limits.ts";
import { alignedDate, foldedDocument, mergeInto, readingsFigures, readingsGroup } from "./mongo-partials.ts";

const foldTimeMaxMs = 60_000;
const readTimeMaxMs = 10_000;

/** A segment of the level above the finest. */
export type RawFold = {
  readonly sinceMs: number;
  readonly toMs: number;
  readonly windowMs: number;
  /** The collection of the level. */
  readonly into: string;
};

/** Folds devices with duplicates from their raw readings, so that each reading counts once. */
export function createMongoRawFold(db: Db) {
  const duplicates = db.collection<DuplicateWindowDocument>(collections.duplicateWindows);
  const messages = db.collection<MessageDocument>(collections.messages);

  return {
    /** Returns the devices with duplicates or conflicts that arrived in the segment, in order. */
    async devicesToFold({ sinceMs, toMs }: Pick<RawFold, "sinceMs" | "toMs">): Promise<readonly string[]> {
      const found = await duplicates
        .aggregate<{ readonly _id: string }>(
          [
            { $match: { last_repeat: { $gte: new Date(sinceMs) } } },
            { $match: { first_repeat: { $lt: new Date(toMs) } } },
            { $group: { _id: "$device_id" } },
            { $sort: { _id: 1 } },
          ],
          { maxTimeMS: foldTimeMaxMs, allowDiskUse: true },
        )
        .toArray();
      return found.map(({ _id }) => _id);
    },

    /** Folds the readings of these devices that arrived in the segment. */
    async fold({ sinceMs, toMs, windowMs, into }: RawFold, devices: readonly string[]): Promise<void> {
      const segment = new Date(sinceMs);
      for (let first = 0; first < devices.length; first += foldDevicesMax) {
        const pipeline = [
          { $match: { arrived: { $gte: segment, $lt: new Date(toMs) } } },
          { $match: { device_id: { $in: devices.slice(first, first + foldDevicesMax) } } },
          {
            $group: {
              _id: {
                device_id: "$device_id",
                sensor: "$sensor",
                window_start: alignedDate("$timestamp", windowMs),
              },
              ...readingsGroup,
            },
          },
          readingsFigures.mean,
          foldedDocument(segment, readingsFigures.fields),
          mergeInto(into),
        ];
        await messages.aggregate(pipeline, { maxTimeMS: foldTimeMaxMs, allowDiskUse: true }).toArray();
      }
    },

    /** Whether no partial of the segment, at the finest level, belongs to a window that starts before `keptSinceMs`. */
    async isAllKept(
      finest: Collection<PartialDocument>,
      { sinceMs, toMs, keptSinceMs }: Pick<RawFold, "sinceMs" | "toMs"> & { readonly keptSinceMs: number },
    ): Promise<boolean> {
      if (keptSinceMs === Number.NEGATIVE_INFINITY) return true;
      const found = await finest.findOne(
        {
          segment_start: { $gte: new Date(sinceMs), $lt: new Date(toMs) },
          window_start: { $lt: new Date(keptSinceMs) },
        },
        { maxTimeMS: readTimeMaxMs },
      );
      return found === null;
    },
  };
}
