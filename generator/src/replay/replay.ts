import { type Clock, systemClock, wait } from "@devicemesh/client/clock";
import { createIngestClient } from "@devicemesh/client/delivery/ingest-client";
import type { IngestTls } from "@devicemesh/client/delivery/ingest-tls";
import type { UnitSender } from "@devicemesh/client/delivery/unit";
import { createOutbox, type OutboxEvent, type OutboxLimits } from "@devicemesh/client/outbox/outbox";
import { createRandom } from "@devicemesh/client/random";
import { createDuplicateIndex, type Repeats } from "@devicemesh/import/load/duplicate-index";
import type { RefusedReading } from "@devicemesh/proto/tsproto/devicemesh/v1/refused_reading.ts";
import { badRowsListedMax, progressMs } from "../limits.ts";
import { openRecording, type Recording } from "./recording.ts";
import { type ReplayTimes, replayTimestampMs } from "./replay-times.ts";

/** What is replayed, where to and how. */
export type ReplayOptions = {
  /** The path of a CSV file with the columns device_id, timestamp, sensor and value. */
  readonly file: string;
  /** Where ingest is, as `host:port`. */
  readonly target: string;
  /** How it is reached with TLS; cleartext if left out. */
  readonly tls?: IngestTls | undefined;
  /** What times the readings have; their own by default. */
  readonly times?: ReplayTimes;
  /** How many times faster than it was recorded; as fast as ingest acknowledges by default. */
  readonly speed?: number | undefined;
  /** Gives up when ingest has failed for so long without acknowledging anything, in milliseconds; never by default. */
  readonly giveUpAfterMs?: number | undefined;
  /** Ends the replay early. */
  readonly signal?: AbortSignal;
  /** Told how far it is, a few times a second and at the end. */
  readonly onProgress?: (progress: ReplayProgress) => void;
  readonly clock?: Clock;
  readonly limits?: Partial<OutboxLimits>;
  /** In place of a client of `target`. */
  readonly sender?: UnitSender;
};

/** How far a replay is. */
export type ReplayProgress = {
  /** Rows read, bad ones included. */
  readonly readRows: number;
  /** Readings handed to the outbox. */
  readonly sent: number;
  /** Readings that ingest has acknowledged as durable. */
  readonly acked: number;
  /** Readings that ingest has refused. */
  readonly refused: number;
  /** Rows that are no readings. */
  readonly bad: number;
  readonly bytesRead: number;
  readonly bytesTotal: number;
  /** Since the replay started, in milliseconds. */
  readonly elapsedMs: number;
  /** Readings acknowledged a second, over the last ten seconds. */
  readonly ackedPerSecond: number;
  /** Why ingest cannot be reached at the moment; undefined if it can. */
  readonly trouble: string | undefined;
};

/** A row that is no reading. */
export type BadRow = { readonly line: number; readonly reason: string };

/** How a replay ended. */
export type ReplaySummary = ReplayProgress & {
  /** `complete`: every reading was acknowledged or refused. Otherwise some may be missing. */
  readonly ended: "complete" | "interrupted" | "gave-up";
  /** The first 100 bad rows. */
  readonly badRows: readonly BadRow[];
  /** The first 100 refused readings. */
  readonly refusedReadings: readonly RefusedReading[];
  /** Sent readings that come again in the file. */
  readonly repeats: Repeats;
};

/**
 * Streams a recording to ingest in constant memory: reading waits whenever the outbox is full. Nothing is
 * lost when ingest is away for a while. Bad rows are listed and do not stop the rest.
 * @throws RecordingError if the file cannot be read or has no header; RangeError if the speed is not above
 *   0, or is missing where the times need one.
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
  let trouble: string | undefined;
  let troubleSinceMs = 0;
  const outbox = createOutbox({
    sender: options.sender ?? createIngestClient({ target, tls, clock }),
    clock,
    random: createRandom(BigInt(Math.floor(startedMs)), 0),
    whenFull: "wait",
    limits: options.limits ?? {},
    observe,
  });

  function observe(event: OutboxEvent): void {
    if (event.kind === "unitAcked") trouble = undefined;
    if (event.kind !== "attemptFailed") return;
    const { code, message } = event.failure;
    if (trouble === undefined) troubleSinceMs = clock.nowMs();
    trouble = `${code}: ${message}`;
    const tooLong = giveUpAfterMs !== undefined && clock.nowMs() - troubleSinceMs >= giveUpAfterMs;
    if (tooLong || hopelessCodes.has(code)) ending.abort();
  }

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
      trouble,
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
      while (!outbox.add(deviceId, sensorCode, sentMs, value)) await outbox.room(stopped);
      index.add(deviceId, sensorCode, sentMs, { value, file: 0, line: row.line });
    }
    await outbox.flush(stopped);
  } catch (error) {
    if (!stopped.aborted) throw error;
  } finally {
    reporting.stop();
    await outbox.close({ limitMs: 0 });
  }
  const end = { ...progress(), trouble: ending.signal.aborted ? trouble : undefined };
  options.onProgress?.(end);
  const repeats = await index.find();
  index.close();
  const ended = ending.signal.aborted ? "gave-up" : stopped.aborted ? "interrupted" : "complete";
  return {
    ...end,
    ended,
    badRows,
    repeats,
    refusedReadings: outbox.refusedReadings(),
  };
}

// Asking again does not help: this is no ingest, or one that does not want us.
const hopelessCodes = new Set(["UNIMPLEMENTED", "PERMISSION_DENIED", "UNAUTHENTICATED"]);

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
