import { alignDown } from "@devicemesh/proto";
import { type DuplicateWindow, needsRepair, type RepairSpan } from "../src/repairs/repair-choice.ts";
import type {
  AggregatorStore,
  CheckpointStart,
  MeshSettings,
  PublishedFrontier,
} from "../src/store/aggregator-store.ts";

/** A store in memory that records its calls, for tests. */
export type MemoryAggregatorStore = AggregatorStore & {
  /** The calls in order, as text. */
  readonly story: string[];
  readonly published: PublishedFrontier;
  /** The segments of each level that have partials. */
  readonly segments: Set<number>[];
  readonly repeated: DuplicateWindow[];
  readonly repairs: { readonly span: RepairSpan; readonly throughMs: number }[];
  rawKeptSinceMs: number;
  /** The segments of the second level whose raw readings may be deleted. */
  readonly deleted: Set<number>;
  /** While set, every call fails with this error. */
  failure: Error | undefined;
};

/** Creates an empty store for a mesh with these settings. */
export function createMemoryAggregatorStore(settings: MeshSettings): MemoryAggregatorStore {
  const { levels } = settings;
  const story: string[] = [];
  const segments = levels.map(() => new Set<number>());
  const repeated: DuplicateWindow[] = [];
  const repairs: MemoryAggregatorStore["repairs"] = [];
  const deleted = new Set<number>();
  const checkpoints = new Map<
    string,
    CheckpointStart & { readonly checked?: ReadonlyMap<number, number> | undefined }
  >();
  let published: PublishedFrontier = {
    completeThroughMs: 0,
    frontiersMs: levels.map(() => 0),
    coarsePureSinceMs: undefined,
    logEndMs: undefined,
  };

  function did(what: string): void {
    if (store.failure) throw store.failure;
    story.push(what);
  }

  const store: MemoryAggregatorStore = {
    story,
    segments,
    repeated,
    repairs,
    rawKeptSinceMs: Number.NEGATIVE_INFINITY,
    deleted,
    failure: undefined,
    get published() {
      return published;
    },
    readSettings: async () => settings,
    readRawKeptSince: async () => store.rawKeptSinceMs,
    readFrontier: async () => published,
    async publishFrontier({ completeThroughMs = 0, logEndMs, level, coarsePureSinceMs }) {
      const what = level ? ` level ${level.level} ${level.frontierMs}` : "";
      did(coarsePureSinceMs === undefined ? `publish${what}` : `publish pure since ${coarsePureSinceMs}`);
      published = {
        completeThroughMs: Math.max(published.completeThroughMs, completeThroughMs),
        logEndMs: logEndMs ?? published.logEndMs,
        coarsePureSinceMs: coarsePureSinceMs ?? published.coarsePureSinceMs,
        frontiersMs: published.frontiersMs.map((frontierMs, place) =>
          place === level?.level ? Math.max(frontierMs, level.frontierMs) : frontierMs,
        ),
      };
    },
    async registerSeries({ sinceMs, toMs }) {
      did(`register ${sinceMs} ${toMs}`);
    },
    async firstSegment(level, sinceMs) {
      const found = [...(segments[level] ?? [])].filter((segmentMs) => segmentMs >= sinceMs);
      return found.length === 0 ? undefined : Math.min(...found);
    },
    async foldSegment({ level, sinceMs, toMs, isPure }) {
      did(`fold level ${level} ${sinceMs} ${toMs}${isPure ? " pure" : ""}`);
      segments[level]?.add(alignDown(sinceMs, levels[level]?.segmentMs ?? 1));
      return !(isPure && deleted.has(sinceMs));
    },
    async findDuplicateWindows({ lastDuplicateSinceMs, frontierMs, rawKeptSinceMs, limit }) {
      return repeated
        .filter((window) => needsRepair(window, { frontierMs, rawKeptSinceMs }))
        .filter(({ lastDuplicateMs }) => lastDuplicateMs >= lastDuplicateSinceMs)
        .sort((a, b) => a.lastDuplicateMs - b.lastDuplicateMs)
        .slice(0, limit);
    },
    async repair(span, throughMs) {
      did(`repair ${span.sinceMs} ${span.toMs}`);
      repairs.push({ span, throughMs });
      for (const [place, window] of repeated.entries()) {
        const isInside = window.windowMs >= span.sinceMs && window.windowMs < span.toMs;
        if (isInside && window.deviceId === span.deviceId) {
          repeated[place] = { ...window, repairedThroughMs: throughMs };
        }
      }
    },
    async writeStatus() {
      did("status");
    },
    async rememberCheckpoint(identity, first) {
      const start = checkpoints.get(identity) ?? (await first());
      checkpoints.set(identity, start);
      return start;
    },
    readCheckpoint: async (identity) => checkpoints.get(identity),
    async rememberChecked(identity, checked) {
      did("checked");
      const start = checkpoints.get(identity);
      if (start) checkpoints.set(identity, { ...start, checked });
    },
    async markLateAppends(windows, frontierMs) {
      for (const { deviceId, sensor, windowMs } of windows) {
        did(`mark ${deviceId}|${sensor}|${windowMs} at ${frontierMs}`);
      }
    },
  };
  return store;
}
