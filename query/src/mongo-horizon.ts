import { collections, type FrontierDocument, type SettingsDocument } from "@devicemesh/chain";
import { unavailable } from "@devicemesh/kit/rpc-error";
import { alignUp, type Level } from "@devicemesh/proto";
import type { Db } from "mongodb";
import { callMongo, quickCall } from "./mongo-call.ts";
import type { StoreHorizon } from "./reading-store.ts";

/** How far the mesh is. */
export type MeshHorizon = StoreHorizon & {
  /** About when the last message was appended. */
  readonly logEndMs: number | undefined;
  /** When the aggregator published this, by its clock; undefined if it never did. */
  readonly publishedMs: number | undefined;
};

/** Reads settings and frontier. */
export type HorizonReader = {
  /** The levels, once they were read. @throws RpcError UNAVAILABLE before. */
  levels(): readonly Level[];
  /** @throws RpcError UNAVAILABLE if the database is away or the mesh is not prepared. */
  read(signal: AbortSignal): Promise<MeshHorizon>;
};

/** Of the settings only the retention may change, and rarely. */
const settingsCacheMs = 10_000;

/**
 * Makes a reader that reads at most every `cacheMs`, however many ask: an older horizon is as right. Everybody
 * who asks meanwhile gets the same answer.
 */
export function createHorizonReader(options: {
  readonly db: Db;
  /** Ms since 1970. */
  readonly clock: () => number;
  readonly cacheMs: number;
}): HorizonReader {
  const { db, clock, cacheMs } = options;
  const settingsCollection = db.collection<SettingsDocument>(collections.settings);
  const frontiers = db.collection<FrontierDocument>(collections.frontier);
  let settings: { readonly document: SettingsDocument; readonly readAt: number } | undefined;
  let levels: readonly Level[] | undefined;
  let latest: { readonly horizon: Promise<MeshHorizon>; readonly askedAt: number } | undefined;

  async function readSettings(limits: { readonly signal: AbortSignal; readonly maxTimeMS: number }) {
    if (settings && performance.now() - settings.readAt < settingsCacheMs) return settings.document;
    const document = await settingsCollection.findOne({ _id: "mesh" }, limits);
    if (!document) throw notPrepared();
    settings = { document, readAt: performance.now() };
    levels = document.levels.map(({ window_ms, segment_ms }) => ({
      windowMs: Number(window_ms),
      segmentMs: Number(segment_ms),
    }));
    return document;
  }

  async function readBoth(): Promise<MeshHorizon> {
    // Nobody's signal: it is read for all who ask.
    const never = new AbortController().signal;
    const [mesh, frontier] = await callMongo(never, quickCall, (limits) =>
      Promise.all([readSettings(limits), frontiers.findOne({ _id: "frontier" }, limits)]),
    );
    const retainMs = mesh.retain_raw_ms === null ? undefined : Number(mesh.retain_raw_ms);
    const windowMs = Number(mesh.levels[0]?.window_ms);
    return {
      completeThroughMs: frontier?.complete_through.getTime() ?? 0,
      frontiersMs: mesh.levels.map((_, level) => frontier?.frontiers[level]?.getTime() ?? 0),
      levelsKeptSinceMs: mesh.levels.map(() => Number.NEGATIVE_INFINITY),
      rawKeptSinceMs:
        retainMs === undefined ? Number.NEGATIVE_INFINITY : alignUp(clock() - retainMs, windowMs),
      coarsePureSinceMs: frontier?.coarse_pure_since?.getTime() ?? Number.POSITIVE_INFINITY,
      logEndMs: frontier?.log_end?.getTime(),
      publishedMs: frontier?.updated.getTime(),
    };
  }

  function read(): Promise<MeshHorizon> {
    const now = performance.now();
    if (latest && now - latest.askedAt < cacheMs) return latest.horizon;
    const horizon = readBoth();
    const mine = { horizon, askedAt: now };
    latest = mine;
    // A failure is not kept: the next one asks again.
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
      const aborted = Promise.withResolvers<never>();
      const onAbort = (): void => aborted.reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        return await Promise.race([read(), aborted.promise]);
      } finally {
        signal.removeEventListener("abort", onAbort);
      }
    },
  };
}

function notPrepared() {
  return unavailable({
    message: "the mesh's settings are not known yet: the operator writes them when it is started",
    retryDelayMs: 1000,
  });
}
