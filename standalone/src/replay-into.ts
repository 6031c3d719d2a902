import { type IngestTls, systemClock } from "@devicemesh/client";
import {
  createStatusLine,
  type Output,
  openRecording,
  RecordingError,
  replayFile,
  replayProgressText,
  replaySummaryText,
} from "@devicemesh/generator";

/** What a replay at the start needs. */
export type ReplayInto = {
  readonly file: string;
  /** host:port of ingest. */
  readonly target: string;
  /** How it is reached with TLS; cleartext if undefined. */
  readonly tls?: IngestTls | undefined;
  /** Ends the replay early. */
  readonly signal: AbortSignal;
  /** Gets the summary. */
  readonly stdout: Output;
  /** Gets progress and problems. */
  readonly stderr: Output;
};

/** Ends the process with exit code 2, before anything starts, if the file to replay cannot be read or lacks a column. */
export async function refuseReplay(file: string | undefined): Promise<void> {
  if (file === undefined) return;
  try {
    await openRecording(file);
  } catch (error) {
    if (!(error instanceof RecordingError)) throw error;
    process.stderr.write(`devicemesh: --replay: ${error.message}\n`);
    process.exit(2);
  }
}

/**
 * Replays a recording as fast as it is acknowledged, with a progress line, and says how it went. A file that
 * cannot be read is told and ends nothing else.
 */
export async function replayInto({ file, target, tls, signal, stdout, stderr }: ReplayInto): Promise<void> {
  const line = createStatusLine({ output: stderr, clock: systemClock });
  try {
    const summary = await replayFile({
      file,
      target,
      tls,
      signal,
      onProgress: (progress) => line.show(replayProgressText(progress)),
    });
    line.end();
    stdout.write(`\nreplayed ${file}\n${replaySummaryText(summary)}`);
  } catch (error) {
    line.end();
    if (!(error instanceof RecordingError)) throw error;
    stderr.write(`devicemesh: --replay: ${error.message}\n`);
  }
}
