import type { Level } from "@devicemesh/proto";
import {
  type DuplicateWindow,
  duplicateWindowsNeeded,
  isCoarsePure,
  isInScan,
  planRead,
  type ReadPlan,
  type Scan,
  type SeriesScan,
  type SeriesSpan,
  type StoreHorizon,
} from "@devicemesh/query";
import { mergePartials, partialOfReading, type ReadingPartial } from "@devicemesh/query/plan/merge";
import type { DeviceStore } from "../engines/device-store.ts";
import { asSeries, sensor } from "../engines/partials.ts";

/** A timeframe over some devices, and the horizon that is used, which may be old. */
export type Question = {
  readonly sinceMs: number;
  readonly toMs: number;
  readonly stores: readonly DeviceStore[];
  readonly levels: readonly Level[];
  readonly horizon: StoreHorizon;
};

/** The figures of each device that has any, and how many readings came from where. */
export type Answer = {
  readonly devices: ReadonlyMap<string, ReadingPartial>;
  readonly sources: { readonly levels: readonly number[]; readonly raw: number; readonly repairs: number };
};

/** Answers with query's own plan and merge, from partials, repairs and raw readings. */
export function answerOf(question: Question): Answer {
  const plan = planOf(question);
  const sources = { levels: question.levels.map(() => 0), raw: 0, repairs: 0 };
  const devices = new Map<string, ReadingPartial>();
  for (const store of question.stores) {
    const parts = partsOf(store, plan, question.levels, sources);
    if (parts.length > 0) {
      devices.set(store.deviceId, mergePartials(parts.map((part) => asSeries(part, store.deviceId))));
    }
  }
  return { devices, sources };
}

function planOf({ stores, ...request }: Question): ReadPlan {
  const { sinceMs, toMs, levels, horizon } = request;
  const { windowMs: sizeMs } = levels[0] as Level;
  const marked: DuplicateWindow[] = [];
  for (const { deviceId, marked: windows } of stores) {
    for (const { windowMs, firstMs, lastMs, repair } of windows.values()) {
      if (windowMs < sinceMs - sizeMs || windowMs >= toMs) continue;
      const times = {
        firstDuplicateMs: firstMs,
        lastDuplicateMs: lastMs,
        repairThroughMs: repair?.throughMs,
      };
      marked.push({ deviceId, sensor, windowMs, ...times });
    }
  }
  // In the way a store reads them if the coarse levels are pure.
  const needed = duplicateWindowsNeeded(request);
  const known = marked.filter(({ windowMs, firstDuplicateMs, lastDuplicateMs }) =>
    needed.some(
      (part) =>
        windowMs >= part.sinceMs - sizeMs &&
        windowMs < part.toMs &&
        (!part.relevant ||
          lastDuplicateMs >= part.relevant.sinceMs ||
          firstDuplicateMs < part.relevant.beforeMs),
    ),
  );
  const isAll = !isCoarsePure(horizon, { windows: known });
  return planRead({ ...request, duplicates: { windows: isAll ? marked : known } }).plan;
}

type Sources = { levels: number[]; raw: number; repairs: number };

function partsOf(
  store: DeviceStore,
  { levels: scans, raw, duplicates }: ReadPlan,
  levels: readonly Level[],
  sources: Sources,
): ReadingPartial[] {
  const parts: ReadingPartial[] = [];
  const own = <Each extends SeriesSpan | SeriesScan>(list: readonly Each[] = []): readonly Each[] =>
    list.filter(({ series }) => series.some(({ deviceId }) => deviceId === store.deviceId));

  for (const level of levels.keys()) {
    const except = own(duplicates?.except.levels[level]);
    const more = own(duplicates?.levels[level]);
    for (const partial of store.levels[level]?.values() ?? []) {
      const { windowMs, segmentMs } = partial;
      const times = timesIn(scans[level] ?? [], except, more, windowMs, segmentMs);
      for (let time = 0; time < times; time++) parts.push(partial);
      sources.levels[level] = (sources.levels[level] as number) + times * partial.count;
    }
  }
  const except = own(duplicates?.except.raw);
  const more = own(duplicates?.raw);
  for (const record of store.readings.values()) {
    const times = timesIn(raw, except, more, record.timestampMs, record.arrivedMs);
    for (let time = 0; time < times; time++) parts.push(partialOfReading(record));
    sources.raw += times;
  }
  for (const { sinceMs, toMs, throughMs } of own(duplicates?.repairs)) {
    for (const { windowMs, repair } of store.marked.values()) {
      if (windowMs < sinceMs || windowMs >= toMs) continue;
      if (repair?.throughMs !== throughMs) throw new Error("the plan names a repair that was not made");
      if (repair.figures) parts.push(repair.figures);
      sources.repairs += repair.figures?.count ?? 0;
    }
  }
  return parts;
}

/** In how many scans a point lies: the planner promises one at most. */
function timesIn(
  scans: readonly Scan[],
  except: readonly SeriesSpan[],
  more: readonly Scan[],
  timestampMs: number,
  arrivedMs: number,
): number {
  const isLeftOut = except.some(({ sinceMs, toMs }) => timestampMs >= sinceMs && timestampMs < toMs);
  let times = 0;
  if (!isLeftOut) for (const scan of scans) times += Number(isInScan(scan, timestampMs, arrivedMs));
  for (const scan of more) times += Number(isInScan(scan, timestampMs, arrivedMs));
  return times;
}
