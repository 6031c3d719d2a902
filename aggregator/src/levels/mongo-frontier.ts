import {
  collections,
  type FrontierDocument,
  keptSinceOf,
  type RetentionDocument,
  type SettingsDocument,
} from "@devicemesh/pipeline";
import type { Db } from "mongodb";
import type { AggregatorStore } from "../store/aggregator-store.ts";

/** Time limit of reading or writing one small document. */
const maxTimeMS = 5000;

/** The settings of the mesh, its frontier and its retention marks, one document each. */
export function createMongoFrontier(options: {
  readonly db: Db;
  /** Ms since 1970. */
  readonly clock: () => number;
}): Pick<AggregatorStore, "readSettings" | "readRawKeptSince" | "readFrontier" | "publishFrontier"> {
  const { db, clock } = options;
  const frontier = db.collection<FrontierDocument>(collections.frontier);
  const settings = db.collection<SettingsDocument>(collections.settings);

  return {
    async readSettings() {
      const found = await settings.findOne({ _id: "mesh" }, { maxTimeMS });
      if (!found) return undefined;
      return {
        levels: found.levels.map(({ window_ms, segment_ms }) => ({
          windowMs: Number(window_ms),
          segmentMs: Number(segment_ms),
        })),
        partitions: Number(found.partitions),
      };
    },
    readRawKeptSince: () => readRawKeptSince(db, clock),
    async readFrontier() {
      const found = await frontier.findOne({ _id: "frontier" }, { maxTimeMS });
      return {
        completeThroughMs: found?.complete_through.getTime() ?? 0,
        frontiersMs: found?.frontiers.map((moment) => moment.getTime()) ?? [],
        coarsePureSinceMs: found?.coarse_pure_since?.getTime(),
        logEndMs: found?.log_end?.getTime(),
      };
    },
    async publishFrontier({ completeThroughMs, logEndMs, level, coarsePureSinceMs }) {
      const forward = {
        ...(completeThroughMs !== undefined && { complete_through: new Date(completeThroughMs) }),
        ...(logEndMs !== undefined && { log_end: new Date(logEndMs) }),
        ...(coarsePureSinceMs !== undefined && { coarse_pure_since: new Date(coarsePureSinceMs) }),
        ...(level && { [`frontiers.${level.level}`]: new Date(level.frontierMs) }),
      };
      const update = { $set: { updated: new Date(clock()) }, $max: forward };
      const { matchedCount } = await frontier.updateOne({ _id: "frontier" }, update, { maxTimeMS });
      if (matchedCount > 0) return;
      await createDocument();
      await frontier.updateOne({ _id: "frontier" }, update, { maxTimeMS });
    },
  };

  /** Creates an element for each level, so that `frontiers.N` addresses an element of the list. */
  async function createDocument(): Promise<void> {
    const levels = (await settings.findOne({ _id: "mesh" }, { maxTimeMS }))?.levels.length ?? 0;
    if (levels === 0) throw new Error("the mesh has no settings: start the operator first");
    const nothing = new Date(0);
    const first = {
      complete_through: nothing,
      frontiers: Array.from({ length: levels }, () => nothing),
      log_end: null,
      updated: nothing,
    };
    await frontier.updateOne({ _id: "frontier" }, { $setOnInsert: first }, { upsert: true, maxTimeMS });
  }
}

/**
 * Returns the timestamp (ms) before which raw readings may have been deleted. @throws Error if the mesh has no
 * settings.
 */
export async function readRawKeptSince(db: Db, clock: () => number): Promise<number> {
  const [settings, marks] = await Promise.all([
    db.collection<SettingsDocument>(collections.settings).findOne({ _id: "mesh" }, { maxTimeMS }),
    db.collection<RetentionDocument>(collections.retention).findOne({ _id: "marks" }, { maxTimeMS }),
  ]);
  if (!settings) throw new Error("the mesh has no settings: start the operator first");
  return keptSinceOf(marks, { settings, nowMs: clock() }).rawMs;
}
