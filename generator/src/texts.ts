import type { GeneratorState } from "./generator.ts";
import { reasonsListedMax } from "./limits.ts";
import type { ReplayProgress, ReplaySummary } from "./replay/replay.ts";

/** Formats the progress of a replay in one line. */
export function replayProgressText(progress: ReplayProgress): string {
  const { readRows, acked, refused, bad, ackedPerSecond, bytesRead, bytesTotal, elapsedMs, trouble } =
    progress;
  const done = doneShare(progress);
  const leftMs = done > 0 ? (elapsedMs * (1 - done)) / done : Number.NaN;
  return [
    `${count(readRows)} rows`,
    `${count(acked)} acked (${count(Math.round(ackedPerSecond))}/s)`,
    ...(refused > 0 ? [`${count(refused)} refused`] : []),
    ...(bad > 0 ? [`${count(bad)} bad`] : []),
    `${Math.floor(100 * done)} %`,
    ...(bytesRead < bytesTotal && Number.isFinite(leftMs) ? [`${duration(leftMs)} left`] : []),
    ...(trouble === undefined ? [] : [`waiting for ingest: ${trouble}`]),
  ].join(", ");
}

/** Formats the result of a replay in lines. */
export function replaySummaryText(summary: ReplaySummary): string {
  const { ended, readRows, sent, acked, refused, bad, elapsedMs, badRows, refusedReadings, trouble } =
    summary;
  const { duplicates, conflicts, firstConflicts, unknown: unchecked } = summary.duplicates;
  const seconds = Math.max(elapsedMs, 1) / 1000;
  const unknown = sent - acked - refused;
  const lines = [
    `${count(readRows)} rows, ${count(sent)} sent, ${count(acked)} acked, ${count(refused)} refused, ${count(bad)} bad rows, in ${duration(elapsedMs)} (${count(Math.round(acked / seconds))} acked/s)`,
    ...badRows.slice(0, reasonsListedMax).map(({ line, reason }) => `  line ${line}: ${reason}`),
    ...more(bad, badRows.length, "bad rows"),
    ...refusedReadings
      .slice(0, reasonsListedMax)
      .map(({ identity, fieldPath, text }) => `  refused ${identity}: ${fieldPath} ${text}`),
    ...more(refused, refusedReadings.length, "refused readings"),
    ...(duplicates + conflicts > 0
      ? [
          `of those sent, ${count(duplicates)} come again in the file with the same value (stored once) and ${count(conflicts)} with another value (the first in the file is stored)`,
        ]
      : []),
    ...firstConflicts
      .slice(0, reasonsListedMax)
      .map(
        ({ reading, first }) =>
          `  line ${reading.line}: ${reading.value}, while line ${first.line} has ${first.value} for the same device, sensor and time`,
      ),
    ...more(conflicts, firstConflicts.length, "conflicts"),
    ...(unchecked > 0
      ? [`the disk for temporary files is full: ${count(unchecked)} readings were not checked for duplicates`]
      : []),
    ...(unknown > 0 ? [`${count(unknown)} sent readings are not acknowledged`] : []),
    ...(ended === "interrupted" ? ["interrupted: the rest was not sent"] : []),
    ...(ended === "gave-up" ? [`gave up: ${trouble}`] : []),
  ];
  return `${lines.join("\n")}\n`;
}

/** Formats the state of a generator in one line. */
export function simulationText({
  sent,
  acked,
  refused,
  pending,
  dropped,
  ackedPerSecond,
  lastError,
}: GeneratorState): string {
  return [
    `${count(sent)} sent`,
    `${count(acked)} acked (${count(Math.round(ackedPerSecond))}/s)`,
    `${count(refused)} refused`,
    `${count(pending)} in the outbox`,
    ...(dropped > 0 ? [`${count(dropped)} dropped`] : []),
    ...(lastError !== undefined ? [`last error: ${lastError.text}`] : []),
  ].join(", ");
}

// Rows that are read but not yet answered are not done; until everything is read, rows stand in for bytes.
function doneShare({ bytesRead, bytesTotal, readRows, acked, refused, bad }: ReplayProgress): number {
  if (bytesTotal === 0 || readRows === 0) return 0;
  return Math.min(bytesRead / bytesTotal, 1) * Math.min((acked + refused + bad) / readRows, 1);
}

function more(total: number, kept: number, what: string): string[] {
  const left = total - Math.min(kept, reasonsListedMax);
  return left > 0 ? [`  and ${count(left)} more ${what}`] : [];
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

function duration(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${seconds % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
