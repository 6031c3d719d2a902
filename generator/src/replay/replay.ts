import { type Clock, systemClock, wait } from "@devicemesh/client/clock";
import { createIngestClient } from "@devicemesh/client/delivery/ingest-client";
import type { IngestTls } from "@devicemesh/client/delivery/ingest-tls";
import type { UnitSender } from "@devicemesh/client/delivery/unit";
import { createOutbox, type OutboxLimits } from "@devicemesh/client/outbox/outbox";
import { createRandom } from "@devicemesh/client/random";
import { createDuplicateIndex, type FoundDuplicates } from "@devicemesh/import/load/duplicate-index";
import { createGiveUp } from "@devicemesh/import/load/give-up";
import type { RefusedReading } from "@devicemesh/proto/tsproto/devicemesh/v1/refused_reading.ts";
import { badRowsListedMax, progressMs } from "../limits.ts";
import { openRecording, type Recording } from "./recording.ts";
import { type ReplayTimes, replayTimestampMs } from "./replay-times.ts";

/** The recording, the target and the options of a replay. */
export type ReplayOptions = {
  /** The path of a CSV file with the columns device_id, timestamp, sensor and value. */
  readonly file: string;
  /** The address of ingest, as `host:port`. */
  readonly target: string;
  /** TLS for ingest; cleartext if left out. */
  readonly tls?: IngestTls | undefined;
  /** The times of the readings; their own by default. */
  readonly times?: ReplayTimes;
  /** The speed relative to the recording; as fast as ingest acknowledges by default. */
  readonly speed?: number | undefined;
  /** Gives up if ingest has failed for this time without an acknowledgement, in milliseconds; never by default. */
  readonly giveUpAfterMs?: number | undefined;
  /** Ends the replay early. */
  readonly signal?: AbortSignal;
  /** Receives the progress, a few times a second and at the end. */
  readonly onProgress?: (progress: ReplayProgress) => void;
  readonly clock?: Clock;
  readonly limits?: Partial<OutboxLimits>;
  /** Replaces a client of `target`. */
  readonly sender?: UnitSender;
};

/** The progress of a replay. */
export type ReplayProgress = {
  /** Number of rows read, including bad ones. */
  readonly readRows: number;
  /** Number of readings handed to the outbox. */
  readonly sent: number;
  /** Number of readings that ingest has acknowledged as durably stored. */
  readonly acked: number;
  /** Number of readings that ingest has rejected. */
  readonly refused: number;
  /** Number of rows that are not readings. */
  readonly bad: number;
  readonly bytesRead: number;
  readonly bytesTotal: number;
  /** Time since the replay started, in milliseconds. */
  readonly elapsedMs: number;
  /** Readings acknowledged a second, over the last ten seconds. */
  readonly ackedPerSecond: number;
  /** Why ingest is unavailable at the moment; undefined if it is available. */
  readonly trouble: string | undefined;
};

/** A row that is not a reading. */
export type BadRow = { readonly line: number; readonly reason: string };

/** How a replay ended. */
export type ReplaySummary = ReplayProgress & {
  /** `complete`: every reading was acknowledged or rejected. Otherwise some may be missing. */
  readonly ended: "complete" | "interrupted" | "gave-up";
  /** The first 100 bad rows. */
  readonly badRows: readonly BadRow[];
  /** The first 100 rejected readings. */
  readonly refusedReadings: readonly RefusedReading[];
  /** Sent readings that come again in the file. */
  readonly duplicates: FoundDuplicates;
};

/**
 * Streams a recording to ingest in constant memory: reading waits while the outbox is full. Nothing is lost while
 * ingest is unavailable. Bad rows are listed and do not stop the rest.
 * @throws RecordingError if the file is unreadable or has no header; RangeError if the speed is not above
 * 0, or is missing although the times need one.
 */
export async function replayFile(options: ReplayOptions): Promise<ReplaySummary> {
  const { file, target, tls, times = "own", speed, giveUpAfterMs, clock = systemClock } = options;
  if (speed !== undefined && !(speed > 0)) throw new RangeError("the speed must be above 0");
  if (times === "start-now" && speed === undefined) throw new RangeError("the times start-now need a speed");
  const startedMs = clock.nowMs();
  const recording = await openRecording(file);
  const ending = new AbortController();
  const stopped = AbortSignal.any([ending.signal, ...(options.signal ? [options.signal] : [])]);
  const latestMs = times === "end-now" ? await latestTimestampMs(recording, stopped) : Number.NaN;
  const badRows: BadRow[] = [];
  const index = createDuplicateIndex();
  let readRows = 0;
  let bad = 0;
  const { observe, trouble } = createGiveUp({ clock, giveUpAfterMs, onGiveUp: () => ending.abort() });
  const outbox = createOutbox({
    sender: options.sender ?? createIngestClient({ target, tls, clock }),
    clock,
    random: createRandom(BigInt(Math.floor(startedMs)), 0),
    whenFull: "wait",
    limits: options.limits ?? {},
    observe,
  });

  function progress(): ReplayProgress {
    const { added, acked, refused, ackedPerSecond } = outbox.counts();
    const { bytesTotal } = recording;
    const elapsedMs = clock.nowMs() - startedMs;
    const bytesRead = recording.bytesRead();
    return {
      readRows,
      sent: added,
      acked,
      refused,
      bad,
      bytesRead,
      bytesTotal,
      elapsedMs,
      ackedPerSecond,
      trouble: trouble(),
    };
  }

  const reporting = reportEvery({
    clock,
    intervalMs: progressMs,
    report: () => options.onProgress?.(progress()),
  });
  try {
    let firstMs: number | undefined;
    for await (const row of recording.lines()) {
      if (stopped.aborted) break;
      readRows += 1;
      if (row.kind === "bad") {
        bad += 1;
        if (badRows.length < badRowsListedMax) badRows.push({ line: row.line, reason: row.reason });
        continue;
      }
      const { deviceId, sensorCode, timestampMs, value } = row;
      firstMs ??= timestampMs;
      if (speed !== undefined) {
        const delayMs = startedMs + (timestampMs - firstMs) / speed - clock.nowMs();
        if (delayMs > 0) await wait({ clock, delayMs, signal: stopped });
        if (stopped.aborted) break;
      }
      const sentMs = replayTimestampMs({
        times,
        timestampMs,
        firstMs,
        latestMs,
        startedMs,
        speed: speed ?? 1,
      });
      while (!outbox.add(deviceId, sensorCode, sentMs, value)) await outbox.capacity(stopped);
      index.add(deviceId, sensorCode, sentMs, { value, file: 0, line: row.line });
    }
    await outbox.flush(stopped);
  } catch (error) {
    if (!stopped.aborted) throw error;
  } finally {
    reporting.stop();
    await outbox.close({ limitMs: 0 });
  }
  const end = { ...progress(), trouble: ending.signal.aborted ? trouble() : undefined };
  options.onProgress?.(end);
  const duplicates = await index.find();
  index.close();
  const ended = ending.signal.aborted ? "gave-up" : stopped.aborted ? "interrupted" : "complete";
  return {
    ...end,
    ended,
    badRows,
    duplicates,
    refusedReadings: outbox.refusedReadings(),
  };
}

async function latestTimestampMs(recording: Recording, signal: AbortSignal): Promise<number> {
  let latestMs = Number.NEGATIVE_INFINITY;
  for await (const row of recording.lines()) {
    if (signal.aborted) break;
    if (row.kind === "reading") latestMs = Math.max(latestMs, row.timestampMs);
  }
  return latestMs;
}

function reportEvery({ clock, intervalMs, report }: { clock: Clock; intervalMs: number; report(): void }): {
  stop(): void;
} {
  let cancel = clock.setTimer(intervalMs, tick);
  function tick(): void {
    report();
    cancel = clock.setTimer(intervalMs, tick);
  }
  return { stop: () => cancel() };
}
