import { createChangeSignal } from "@devicemesh/kit/async/change-signal";
import { unavailable } from "@devicemesh/kit/rpc/rpc-error";
import { alignDown, type DeviceMessage, defaultLevels, identityOf, type Level } from "@devicemesh/proto";
import { bucketStart } from "../../src/calendar/bucket-grid.ts";
import { mergePartials } from "../../src/plan/merge.ts";
import { compareSeries } from "../../src/plan/series-order.ts";
import { columnPieces, expiredMeanwhile, readingColumns } from "../../src/store/reading-scan.ts";
import type { DuplicateWindow, ReadingStore } from "../../src/store/reading-store.ts";
import { searchMatcher } from "../../src/store/series-request.ts";
import { createDuplicateCounts } from "./memory-duplicate-counts.ts";
import { createMemoryDuplicates } from "./memory-duplicates.ts";
import {
  compareKeys,
  matcher,
  partialOfStored,
  type StoredPartial,
  type StoredReading,
  scanned,
} from "./memory-scans.ts";
import { memorySketches } from "./memory-sketches.ts";

/** The options of the memory store. */
export type MemoryReadingStoreOptions = {
  /** The log's clock, ms since 1970. */
  readonly clock: () => number;
  /** The levels, the finest first; `defaultLevels` by default. */
  readonly levels?: readonly Level[];
  /**
   * Partials count a duplicate as often as it arrived, like on the real engines, where the raw store alone recognizes
   * duplicates and marks their windows. By default duplicates are rejected before they are folded.
   */
  readonly isCountingDuplicates?: boolean;
  /**
   * If it counts duplicates: from this segment on it folds the second level from raw readings where there are
   * duplicates, so that this level and those above are pure; never by default.
   */
  readonly coarsePureSinceMs?: number;
  /** As `ReadingStore.isRemote`; not by default. */
  readonly isRemote?: boolean;
};

/** A store that keeps everything in memory, with the simplest algorithms, for tests: nothing survives the process. */
export type MemoryReadingStore = {
  readonly store: ReadingStore;
  /** Stores messages, first wins by identity, with the current time as arrival. */
  append(messages: readonly DeviceMessage[]): void;
  /** Folds every closed segment. */
  fold(): void;
  /** Repairs every window with duplicates, at the frontier. */
  repair(): void;
  /**
   * Deletes folded data older than the marks of the previous call, then publishes these marks (by timestamp; each a
   * multiple of the coarsest window, the raw one the latest).
   */
  expire(keptSince: { readonly rawMs: number; readonly levelsMs: readonly number[] }): void;
  /** From now on every method is UNAVAILABLE, and watches end. */
  close(): void;
};

/** Creates an empty memory store. */
export function createMemoryReadingStore(options: MemoryReadingStoreOptions): MemoryReadingStore {
  const { clock, levels = defaultLevels, isCountingDuplicates = false } = options;
  const { coarsePureSinceMs = Number.POSITIVE_INFINITY } = options;
  const duplicates = createMemoryDuplicates((levels[0] as Level).windowMs);
  const identities = new Map<string, number>();
  const seriesNames = new Map<string, { deviceId: string; sensor: DeviceMessage["sensor"] }>();
  const changes = createChangeSignal();
  let readings: StoredReading[] = [];
  let partials: StoredPartial[][] = levels.map(() => []);
  let frontiersMs: number[] = levels.map(() => 0);
  // The frontiers at the last expiry: a horizon that was read before may still be in use.
  let expiredFrontiersMs: readonly number[] = frontiersMs;
  let keptSince = { rawMs: Number.NEGATIVE_INFINITY, levelsMs: levels.map(() => Number.NEGATIVE_INFINITY) };
  let logEndMs: number | undefined;
  const duplicateCounts = createDuplicateCounts();
  const everStored: StoredReading[] = [];
  let closed = false;
  let sealedMs = 0;

  const nowMs = (): number => Math.max(clock(), logEndMs ?? 0, frontiersMs[0] as number, sealedMs);
  const horizon = () => ({
    completeThroughMs: nowMs(),
    frontiersMs: [...frontiersMs],
    levelsKeptSinceMs: keptSince.levelsMs,
    rawKeptSinceMs: keptSince.rawMs,
    coarsePureSinceMs,
  });
  function check(signal: AbortSignal): void {
    signal.throwIfAborted();
    if (closed) throw unavailable({ message: "the store is closed", retryDelayMs: 1000 });
  }

  /** The source of a level's fold. */
  function foldedFrom(level: number): readonly StoredPartial[] {
    if (level === 0) return [...readings, ...duplicates.copies].map(partialOfStored);
    const below = partials[level - 1] as readonly StoredPartial[];
    if (level > 1 || coarsePureSinceMs === Number.POSITIVE_INFINITY) return below;
    const isPure = ({ segmentMs }: StoredPartial): boolean => segmentMs >= coarsePureSinceMs;
    return [...below.filter((partial) => !isPure(partial)), ...readings.map(partialOfStored).filter(isPure)];
  }

  function foldLevel(level: number, toMs: number): void {
    const { windowMs, segmentMs } = levels[level] as Level;
    const sinceMs = frontiersMs[level] as number;
    const below = foldedFrom(level);
    const closedNow = below.filter((partial) => partial.segmentMs >= sinceMs && partial.segmentMs < toMs);
    const groups = Map.groupBy(closedNow, (partial) =>
      [
        partial.deviceId,
        partial.sensor,
        alignDown(partial.windowMs, windowMs),
        alignDown(partial.segmentMs, segmentMs),
      ].join("|"),
    );
    for (const group of groups.values()) {
      const [first] = group as [StoredPartial];
      partials[level]?.push({
        ...first,
        ...mergePartials(group),
        fromRaw: 0,
        windowMs: alignDown(first.windowMs, windowMs),
        segmentMs: alignDown(first.segmentMs, segmentMs),
      });
    }
    frontiersMs = frontiersMs.with(level, toMs);
  }

  const store: ReadingStore = {
    levels,
    isRemote: options.isRemote ?? false,
    async readHorizon(signal) {
      check(signal);
      return horizon();
    },
    async readDuplicateWindows({ filter, sinceMs, toMs, relevant }, signal) {
      check(signal);
      const isRelevant = ({ firstDuplicateMs, lastDuplicateMs }: DuplicateWindow): boolean =>
        relevant === undefined || lastDuplicateMs >= relevant.sinceMs || firstDuplicateMs < relevant.beforeMs;
      return {
        windows: duplicates
          .find(filter)
          .filter((window) => window.windowMs >= sinceMs && window.windowMs < toMs && isRelevant(window)),
      };
    },
    async readPartials({ plan, filter, buckets }, signal) {
      check(signal);
      const repaired = duplicates.repairsOf(plan.duplicates?.repairs ?? []);
      const found = [
        ...scanned(plan, { levels: partials, raw: readings.map(partialOfStored) }),
        ...(repaired ?? []),
      ];
      return {
        partials: found.filter(matcher(filter)).map(({ windowMs, segmentMs: _, ...partial }) => ({
          ...partial,
          bucketMs: buckets ? bucketStart(buckets, windowMs) : 0,
        })),
        completeThroughMs: nowMs(),
        isStale: repaired === undefined,
      };
    },
    async readSketches(request, signal) {
      check(signal);
      return memorySketches(request, { levels, everStored, readings });
    },
    async readReadings({ filter, sinceMs, toMs, descending, after, limit }, signal) {
      check(signal);
      const sign = descending ? -1 : 1;
      return readings
        .filter(matcher(filter))
        .filter(({ timestampMs }) => timestampMs >= sinceMs && timestampMs < toMs)
        .filter((reading) => after === undefined || sign * compareKeys(reading, after) > 0)
        .sort((a, b) => sign * compareKeys(a, b))
        .slice(0, limit)
        .map(({ arrivedMs: _, ...message }) => message);
    },
    async sealHorizon(signal) {
      check(signal);
      sealedMs = nowMs() + 1;
      return horizon();
    },
    async *scanReadings({ filter, sinceMs, toMs, arrivedToMs }, signal) {
      check(signal);
      const found = readings
        .filter(matcher(filter))
        .filter((reading) => reading.timestampMs >= sinceMs && reading.timestampMs < toMs)
        .filter(({ arrivedMs }) => arrivedMs < arrivedToMs)
        .sort(compareKeys);
      if (keptSince.rawMs > sinceMs) throw expiredMeanwhile();
      for (const piece of columnPieces(readingColumns(found))) {
        check(signal);
        yield piece;
      }
    },
    async readSeries({ filter, search, after, limit }, signal) {
      check(signal);
      const isFound = searchMatcher(search);
      const matching = [...seriesNames.values()]
        .filter(matcher(filter))
        .filter(({ deviceId }) => isFound(deviceId))
        .sort(compareSeries);
      const rest = matching.filter((series) => after === undefined || compareSeries(series, after) > 0);
      return { series: rest.slice(0, limit), total: matching.length };
    },
    async readDuplicates({ filter, after, limit }, signal) {
      check(signal);
      return duplicateCounts
        .all()
        .filter(matcher(filter))
        .filter((series) => after === undefined || compareSeries(series, after) > 0)
        .sort(compareSeries)
        .slice(0, limit);
    },
    async readStatus(signal) {
      check(signal);
      return {
        logEndMs,
        horizon: horizon(),
        partialCounts: partials.map((level) => level.length),
        storedReadings: readings.length,
        series: seriesNames.size,
        duplicates: duplicateCounts.sum("duplicates"),
        conflicts: duplicateCounts.sum("conflicts"),
        storedPerSecond: 0,
        diskBytes: 0,
        versions: { memory: "1" },
        refused: undefined,
      };
    },
    watchChanges: (signal) => changes.watch(signal),
  };

  return {
    store,
    append(messages) {
      const arrivedMs = nowMs();
      for (const message of messages) {
        const identity = identityOf(message);
        const known = identities.get(identity);
        if (known === undefined) {
          identities.set(identity, message.value);
          readings.push({ ...message, arrivedMs });
          everStored.push({ ...message, arrivedMs });
          seriesNames.set(`${message.deviceId}|${message.sensor}`, message);
          continue;
        }
        duplicateCounts.add(message, known, arrivedMs);
        if (isCountingDuplicates) duplicates.add({ ...message, arrivedMs });
      }
      if (messages.length > 0) logEndMs = arrivedMs;
      changes.notify();
    },
    fold() {
      let toMs = nowMs();
      for (const [level, { segmentMs }] of levels.entries()) {
        toMs = alignDown(toMs, segmentMs);
        if (toMs > (frontiersMs[level] as number)) foldLevel(level, toMs);
      }
    },
    repair: () => duplicates.repair(readings, frontiersMs[0] as number),
    expire(next) {
      const before = keptSince;
      const folded = expiredFrontiersMs;
      readings = readings.filter(
        (reading) => reading.timestampMs >= before.rawMs || reading.arrivedMs >= (folded[0] as number),
      );
      partials = partials.map((level, place) =>
        level.filter(
          (partial) =>
            partial.windowMs >= (before.levelsMs[place] as number) ||
            partial.segmentMs >= (folded[place + 1] ?? (folded[place] as number)),
        ),
      );
      keptSince = { rawMs: next.rawMs, levelsMs: [...next.levelsMs] };
      expiredFrontiersMs = frontiersMs;
    },
    close() {
      closed = true;
      changes.close();
    },
  };
}
