import type { BatchProgress } from "@devicemesh/aggregator/window-job/window-job-progress";
import { alignDown, type Level } from "@devicemesh/proto";
import { partialOfReading } from "@devicemesh/query/plan/merge";
import type { Census } from "../fleet/census.ts";
import { stepMs } from "../limits.ts";
import type { SimulatedLog } from "./log.ts";
import { addedTo, partialKey, type SamplePartial } from "./partials.ts";
import type { SimulatedQueue } from "./queue.ts";
import type { SampleRecord } from "./sample-records.ts";

type State = {
  readonly positions: readonly number[];
  /** The watermark of the next batch. */
  readonly watermarkMs: number | undefined;
  readonly groups: ReadonlyMap<string, SamplePartial>;
};

/** A batch that runs. */
type Batch = {
  readonly startedMs: number;
  readonly endsMs: number;
  readonly ends: readonly number[];
  readonly rows: number;
};

/**
 * The window job: batches that end after the time that their rows need, one watermark for each partition of which the
 * least counts, partials in the topic before the commit. Messages whose segment has closed are dropped and counted.
 */
export function createWindowJob(options: {
  readonly log: SimulatedLog;
  readonly census: Pick<Census, "partials">;
  readonly level: Level;
  readonly sinceMs: number;
  readonly rowsPerSecond: number;
  readonly rowsMaxPerPartition: number;
  readonly intervalMs: number;
  /** The topic of partials. */
  readonly topic: SimulatedQueue<SamplePartial>;
}) {
  const { log, census, level, sinceMs, topic } = options;
  const { partitions } = log;
  let state: State = {
    positions: Array.from({ length: partitions }, () => 0),
    watermarkMs: undefined,
    groups: new Map(),
  };
  let running: Batch | undefined;
  let batches = 0;
  let dropped = 0;
  let droppedSamples = 0;
  /** The first segment whose other partials are not written yet. */
  let segment = Math.floor(sinceMs / level.segmentMs);
  const firstSegment = segment;

  function begin(nowMs: number): void {
    const ends = state.positions.map((position, partition) =>
      Math.min(log.endOf(partition), position + options.rowsMaxPerPartition),
    );
    const rows = ends.reduce((sum, end, partition) => sum + end - (state.positions[partition] as number), 0);
    const workMs = (rows / options.rowsPerSecond) * 1000;
    running = { startedMs: nowMs, endsMs: nowMs + Math.max(workMs, options.intervalMs), ends, rows };
  }

  /** Whether the watermark has passed the segment: its partials are written, and messages for it are dropped. */
  function isClosed(segmentMs: number, watermarkMs: number): boolean {
    return segmentMs + level.segmentMs <= watermarkMs;
  }

  function takeSamples(ends: readonly number[], watermarkMs: number) {
    const groups = new Map(state.groups);
    let late = 0;
    for (let partition = 0; partition < partitions; partition++) {
      const from = state.positions[partition] as number;
      for (const record of log.samplesBetween(partition, from, ends[partition] as number)) {
        if (!take(groups, record, watermarkMs)) late++;
      }
    }
    return { groups, late };
  }

  function take(groups: Map<string, SamplePartial>, record: SampleRecord, watermarkMs: number): boolean {
    const { deviceId, timestampMs, arrivedMs } = record;
    const windowMs = alignDown(timestampMs, level.windowMs);
    const segmentMs = alignDown(arrivedMs, level.segmentMs);
    if (isClosed(segmentMs, watermarkMs)) return false;
    const key = `${deviceId}|${partialKey(windowMs, segmentMs)}`;
    const figures = addedTo(groups.get(key), partialOfReading(record), deviceId);
    groups.set(key, { ...figures, deviceId, windowMs, segmentMs });
    return true;
  }

  /** Messages of unsampled devices that a clock that was set back makes late. */
  function countDropped(ends: readonly number[], watermarkMs: number): number {
    let count = 0;
    for (let partition = 0; partition < partitions; partition++) {
      const from = state.positions[partition] as number;
      const to = ends[partition] as number;
      if (from === to) continue;
      for (let step = log.stepOf(partition, from); log.startOf(partition, step) < to; step++) {
        const offMs = log.clockOffMs(partition, step);
        if (offMs === 0) continue;
        const segmentMs = alignDown(log.stepStartMs(step) + offMs, level.segmentMs);
        if (!isClosed(segmentMs, watermarkMs)) continue;
        const begins = Math.max(from, log.startOf(partition, step));
        count += Math.min(to, log.startOf(partition, step + 1)) - begins;
      }
    }
    return count;
  }

  function write(groups: Map<string, SamplePartial>, watermarkMs: number): void {
    for (const [key, partial] of groups) {
      if (!isClosed(partial.segmentMs, watermarkMs)) continue;
      topic.append(partial);
      groups.delete(key);
    }
    for (; isClosed(segment * level.segmentMs, watermarkMs); segment++) {
      const first = (segment - firstSegment) * partitions;
      for (let place = first; place < first + partitions; place++) topic.fill(census.partials[place] ?? 0);
    }
  }

  /** The least of the largest append times that the partitions have read. A step that is read in part counts as begun. */
  function watermarkAt(ends: readonly number[]): number | undefined {
    let least = Number.POSITIVE_INFINITY;
    for (let partition = 0; partition < partitions; partition++) {
      const end = ends[partition] as number;
      if (end === 0) return undefined;
      const isAll = end === log.endOf(partition);
      const newest = log.newestBeforeMs(
        partition,
        isAll ? Math.round((log.nowMs - sinceMs) / stepMs) : log.stepOf(partition, end),
      );
      if (newest === undefined) return undefined;
      least = Math.min(least, newest);
    }
    return least;
  }

  function complete({ ends, rows, startedMs, endsMs }: Batch): BatchProgress {
    const watermarkMs = state.watermarkMs ?? Number.NEGATIVE_INFINITY;
    const { groups, late } = takeSamples(ends, watermarkMs);
    write(groups, watermarkMs);
    const rowsDropped = Math.max(countDropped(ends, watermarkMs), late);
    dropped += rowsDropped;
    droppedSamples += late;
    const batchMs = endsMs - startedMs;
    const batch: BatchProgress = {
      batch: batches++,
      watermarkMs: state.watermarkMs,
      inputRows: rows,
      inputRowsPerSecond: (rows / batchMs) * 1000,
      processedRowsPerSecond: (rows / batchMs) * 1000,
      batchMs,
      stateRows: groups.size,
      rowsDropped,
      startOffsets: new Map(state.positions.entries()),
      endOffsets: new Map(ends.entries()),
    };
    const next = Math.max(state.watermarkMs ?? 0, watermarkAt(ends) ?? 0);
    state = { positions: ends, watermarkMs: next || undefined, groups };
    return batch;
  }

  return {
    /** Moves on to `nowMs`, and gives the batch that was committed, if one was. */
    step(nowMs: number): BatchProgress | undefined {
      const done = running && nowMs >= running.endsMs ? complete(running) : undefined;
      if (done) running = undefined;
      if (!running) begin(nowMs);
      return done;
    },
    /** Ends without a commit: the batch that ran is done again, and what it wrote may stay in the topic. */
    fail(hasWritten: boolean): void {
      if (running && hasWritten) {
        const watermarkMs = state.watermarkMs ?? Number.NEGATIVE_INFINITY;
        for (const partial of takeSamples(running.ends, watermarkMs).groups.values()) {
          if (isClosed(partial.segmentMs, watermarkMs)) topic.append(partial);
        }
      }
      running = undefined;
    },
    get dropped() {
      return dropped;
    },
    /** Messages of sampled devices among them. */
    get droppedSamples() {
      return droppedSamples;
    },
  };
}
