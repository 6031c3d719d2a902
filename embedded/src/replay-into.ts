import {
  createStatusLine,
  type IngestTls,
  type Output,
  RecordingError,
  replayFile,
  replayProgressText,
  replaySummaryText,
  systemClock,
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
