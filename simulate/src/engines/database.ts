import { needsRepair } from "@devicemesh/aggregator/repairs/repair-choice";
import type {
  AggregatorStore,
  CheckpointStart,
  MeshSettings,
  PublishedFrontier,
} from "@devicemesh/aggregator/store/aggregator-store";
import { alignDown, type Level } from "@devicemesh/proto";
import { partialOfReading, type ReadingPartial } from "@devicemesh/query/plan/merge";
import { createDeviceStore, type DeviceStore, mark } from "./device-store.ts";
import { addedTo, partialKey, type SamplePartial, sensor } from "./partials.ts";
import type { SampleRecord } from "./sample-records.ts";

/** The database: what sinks and operator write of the sampled devices, and the port of the aggregator. */
export type SimulatedDatabase = AggregatorStore & {
  readonly devices: ReadonlyMap<string, DeviceStore>;
  /** Inserts a message, first wins; returns false if it is rejected. */
  insert(record: SampleRecord): boolean;
  /** Marks the window of a rejected message, unless it is a redelivery of the stored record itself. */
  markRejected(record: SampleRecord): void;
  /** Replaces the partial with the same key. */
  replace(level: number, partial: SamplePartial): void;
  readonly published: PublishedFrontier;
  /** Windows that were marked because Spark dropped a message of theirs, and repairs that were made. */
  readonly lateWindows: number;
  readonly repairs: number;
};

/** Creates an empty database for these devices. */
export function createDatabase(settings: MeshSettings, deviceIds: readonly string[]): SimulatedDatabase {
  const { levels } = settings;
  const [finest] = levels as [Level];
  const devices = new Map(deviceIds.map((id) => [id, createDeviceStore(id, levels.length)]));
  const segments = levels.map((): number[] => []);
  const checkpoints = new Map<string, Awaited<ReturnType<AggregatorStore["readCheckpoint"]>>>();
  let published: PublishedFrontier = {
    completeThroughMs: 0,
    frontiersMs: levels.map(() => 0),
    coarsePureSinceMs: undefined,
    logEndMs: undefined,
  };
  let lateWindows = 0;
  let repairs = 0;

  const storeOf = (deviceId: string): DeviceStore => devices.get(deviceId) as DeviceStore;

  function replace(level: number, partial: SamplePartial): void {
    storeOf(partial.deviceId).levels[level]?.set(partialKey(partial.windowMs, partial.segmentMs), partial);
    const known = segments[level] as number[];
    const place = known.findLastIndex((ms) => ms <= partial.segmentMs);
    if (known[place] !== partial.segmentMs) known.splice(place + 1, 0, partial.segmentMs);
  }

  function* finerFigures(
    store: DeviceStore,
    fold: {
      readonly level: number;
      readonly sinceMs: number;
      readonly toMs: number;
      readonly isFromRaw: boolean;
    },
  ): Generator<readonly [number, ReadingPartial]> {
    const isIn = (ms: number): boolean => ms >= fold.sinceMs && ms < fold.toMs;
    if (fold.isFromRaw) {
      for (const record of store.readings.values()) {
        if (isIn(record.arrivedMs)) yield [record.timestampMs, partialOfReading(record)];
      }
    } else {
      for (const partial of store.levels[fold.level - 1]?.values() ?? []) {
        if (isIn(partial.segmentMs)) yield [partial.windowMs, partial];
      }
    }
  }

  function foldDevice(store: DeviceStore, fold: Parameters<AggregatorStore["foldSegment"]>[0]): void {
    const { level, sinceMs, toMs, isPure } = fold;
    const hasDuplicates = [...store.marked.values()].some(
      ({ firstMs, lastMs }) => lastMs >= sinceMs && firstMs < toMs,
    );
    const groups = new Map<number, ReadingPartial>();
    for (const [ms, figures] of finerFigures(store, {
      level,
      sinceMs,
      toMs,
      isFromRaw: isPure && hasDuplicates,
    })) {
      const windowMs = alignDown(ms, (levels[level] as Level).windowMs);
      groups.set(windowMs, addedTo(groups.get(windowMs), figures, store.deviceId));
    }
    for (const [windowMs, figures] of groups) {
      replace(level, { ...figures, deviceId: store.deviceId, windowMs, segmentMs: sinceMs });
    }
  }

  return {
    devices,
    replace,
    insert(record) {
      const { readings } = storeOf(record.deviceId);
      if (readings.has(record.timestampMs)) return false;
      readings.set(record.timestampMs, record);
      return true;
    },
    markRejected(record) {
      const store = storeOf(record.deviceId);
      if (store.readings.get(record.timestampMs)?.offset === record.offset) return;
      const { arrivedMs } = record;
      mark(store, alignDown(record.timestampMs, finest.windowMs), { firstMs: arrivedMs, lastMs: arrivedMs });
    },
    get published() {
      return published;
    },
    get lateWindows() {
      return lateWindows;
    },
    get repairs() {
      return repairs;
    },
    readSettings: async () => settings,
    readRawKeptSince: async () => Number.NEGATIVE_INFINITY,
    readFrontier: async () => published,
    async publishFrontier({ completeThroughMs = 0, logEndMs, level, coarsePureSinceMs }) {
      published = {
        completeThroughMs: Math.max(published.completeThroughMs, completeThroughMs),
        logEndMs: Math.max(published.logEndMs ?? 0, logEndMs ?? 0) || undefined,
        coarsePureSinceMs:
          coarsePureSinceMs === undefined
            ? published.coarsePureSinceMs
            : Math.max(published.coarsePureSinceMs ?? 0, coarsePureSinceMs),
        frontiersMs: published.frontiersMs.map((ms, place) =>
          place === level?.level ? Math.max(ms, level.frontierMs) : ms,
        ),
      };
    },
    registerSeries: async () => {},
    async firstSegment(level, sinceMs) {
      return segments[level]?.find((ms) => ms >= sinceMs);
    },
    async foldSegment(fold) {
      for (const store of devices.values()) foldDevice(store, fold);
      return true;
    },
    async findDuplicateWindows({ lastDuplicateSinceMs, frontierMs, rawKeptSinceMs, limit }) {
      const found = [];
      for (const { deviceId, marked } of devices.values()) {
        for (const { windowMs, firstMs, lastMs, repair } of marked.values()) {
          const times = {
            firstDuplicateMs: firstMs,
            lastDuplicateMs: lastMs,
            repairedThroughMs: repair?.throughMs,
          };
          const window = { deviceId, sensor, windowMs, ...times };
          if (lastMs >= lastDuplicateSinceMs && needsRepair(window, { frontierMs, rawKeptSinceMs }))
            found.push(window);
        }
      }
      return found.sort((a, b) => a.lastDuplicateMs - b.lastDuplicateMs).slice(0, limit);
    },
    async repair({ deviceId, sinceMs, toMs }, throughMs) {
      const store = storeOf(deviceId);
      for (let windowMs = sinceMs; windowMs < toMs; windowMs += finest.windowMs) {
        const known = store.marked.get(windowMs);
        if (!known) continue;
        let figures: ReadingPartial | undefined;
        for (const record of store.readings.values()) {
          if (alignDown(record.timestampMs, finest.windowMs) !== windowMs || record.arrivedMs >= throughMs)
            continue;
          figures = addedTo(figures, partialOfReading(record), deviceId);
        }
        store.marked.set(windowMs, { ...known, repair: { throughMs, figures } });
        repairs++;
      }
    },
    writeStatus: async () => {},
    async rememberCheckpoint(identity, first) {
      const start: CheckpointStart = checkpoints.get(identity) ?? (await first());
      checkpoints.set(identity, start);
      return start;
    },
    readCheckpoint: async (identity) => checkpoints.get(identity),
    async rememberChecked(identity, checked) {
      const start = checkpoints.get(identity);
      if (start) checkpoints.set(identity, { ...start, checked });
    },
    async markLateAppends(windows, frontierMs) {
      for (const { deviceId, windowMs, arrivedMs } of windows) {
        mark(storeOf(deviceId), windowMs, { firstMs: 0, lastMs: Math.max(frontierMs, arrivedMs) });
        lateWindows++;
      }
    },
  };
}
