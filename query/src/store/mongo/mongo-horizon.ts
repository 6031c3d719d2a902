import { unlessAborted } from "@devicemesh/kit/async/time-limit";
import { unavailable } from "@devicemesh/kit/rpc/rpc-error";
import {
  collections,
  type FrontierDocument,
  keptSinceOf,
  type RetentionDocument,
  type SettingsDocument,
  unitConflict,
} from "@devicemesh/pipeline";
import { builtInSensors, type Level, type SensorSpec } from "@devicemesh/proto";
import type { Db } from "mongodb";
import type { StoreHorizon } from "../store-status.ts";
import { callMongo, quickCall } from "./mongo-call.ts";

/** The progress of the mesh. */
export type MeshHorizon = StoreHorizon & {
  /** Approximate time at which the last message was appended. */
  readonly logEndMs: number | undefined;
  /** The time at which the aggregator published this, by its clock; undefined if it never did. */
  readonly publishedMs: number | undefined;
};

/** Reads settings, frontier and retention marks. */
export type HorizonReader = {
  /** Returns the levels, once they were read. @throws RpcError UNAVAILABLE before. */
  levels(): readonly Level[];
  /**
   * @throws RpcError UNAVAILABLE if the database is unavailable, the mesh is not prepared, or its units are not those
   * of query's sensors: its answers would state another unit than that of the stored values.
   */
  read(signal: AbortSignal): Promise<MeshHorizon>;
};

/** The settings in use do not change, except in a mesh whose operator is older than retention marks. */
const settingsCacheMs = 10_000;

/**
 * Creates a reader that reads at most every `cacheMs`, for any number of callers: an older horizon is just as correct.
 * All concurrent callers receive the same result.
 */
export function createHorizonReader(options: {
  readonly db: Db;
  /** Ms since 1970. */
  readonly clock: () => number;
  readonly cacheMs: number;
  /** The sensors of query's catalog. */
  readonly sensors: readonly Pick<SensorSpec, "sensor" | "unit">[];
}): HorizonReader {
  const { db, clock, cacheMs, sensors } = options;
  const settingsCollection = db.collection<SettingsDocument>(collections.settings);
  const frontiers = db.collection<FrontierDocument>(collections.frontier);
  const retention = db.collection<RetentionDocument>(collections.retention);
  let settings: { readonly document: SettingsDocument; readonly readAt: number } | undefined;
  let levels: readonly Level[] | undefined;
  let latest: { readonly horizon: Promise<MeshHorizon>; readonly askedAt: number } | undefined;

  async function readSettings(limits: { readonly signal: AbortSignal; readonly maxTimeMS: number }) {
    if (settings && performance.now() - settings.readAt < settingsCacheMs) return settings.document;
    const document = await settingsCollection.findOne({ _id: "mesh" }, limits);
    if (!document) throw notPrepared();
    const conflict = unitConflict(sensors, document.sensor_units ?? builtInSensors);
    if (conflict !== undefined) throw unavailable({ message: conflict, retryDelayMs: 10_000 });
    settings = { document, readAt: performance.now() };
    levels = document.levels.map(({ window_ms, segment_ms }) => ({
      windowMs: Number(window_ms),
      segmentMs: Number(segment_ms),
    }));
    return document;
  }

  async function readAll(): Promise<MeshHorizon> {
    // No caller's signal: it is read for all callers.
    const never = new AbortController().signal;
    const [mesh, frontier, marks] = await callMongo(never, quickCall, (limits) =>
      Promise.all([
        readSettings(limits),
        frontiers.findOne({ _id: "frontier" }, limits),
        retention.findOne({ _id: "marks" }, limits),
      ]),
    );
    const keptSince = keptSinceOf(marks, { settings: mesh, nowMs: clock() });
    return {
      completeThroughMs: frontier?.complete_through.getTime() ?? 0,
      frontiersMs: mesh.levels.map((_, level) => frontier?.frontiers[level]?.getTime() ?? 0),
      levelsKeptSinceMs: keptSince.levelsMs,
      rawKeptSinceMs: keptSince.rawMs,
      coarsePureSinceMs: frontier?.coarse_pure_since?.getTime() ?? Number.POSITIVE_INFINITY,
      logEndMs: frontier?.log_end?.getTime(),
      publishedMs: frontier?.updated.getTime(),
    };
  }

  function read(): Promise<MeshHorizon> {
    const now = performance.now();
    if (latest && now - latest.askedAt < cacheMs) return latest.horizon;
    const horizon = readAll();
    const mine = { horizon, askedAt: now };
    latest = mine;
    // A failure is not cached: the next caller reads again.
    horizon.catch(() => {
      if (latest === mine) latest = undefined;
    });
    return horizon;
  }

  return {
    levels() {
      if (!levels) throw notPrepared();
      return levels;
    },
    async read(signal) {
      signal.throwIfAborted();
      return await unlessAborted(read(), signal);
    },
  };
}

function notPrepared() {
  return unavailable({
    message: "the mesh's settings are not known yet: the operator writes them when it is started",
    retryDelayMs: 1000,
  });
}
