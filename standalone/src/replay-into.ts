import { type IngestTls, systemClock } from "@devicemesh/client";
import {
  createStatusLine,
  InputError,
  type InspectedInput,
  inspectFiles,
  inspectionText,
  loadRecordings,
  type Output,
  progressText,
  reportText,
} from "@devicemesh/import";
import { openSensorCatalog } from "@devicemesh/kit/settings/sensor-settings";
import { SettingsError } from "@devicemesh/kit/settings/settings-error";

/** The flags of the catalog. */
export type SensorFlags = { readonly sensors?: string | undefined };

/** The dependencies of a replay at the start. */
export type ReplayInto = {
  readonly file: string;
  /** host:port of ingest. */
  readonly target: string;
  /** TLS for ingest; cleartext if undefined. */
  readonly tls?: IngestTls | undefined;
  readonly sensors: SensorFlags;
  /** Ends the replay early. */
  readonly signal: AbortSignal;
  /** Receives the summary. */
  readonly stdout: Output;
  /** Receives progress and problems. */
  readonly stderr: Output;
};

/** Exits with code 2 before anything starts if the recording is unreadable or has open questions. */
export async function refuseReplay(file: string | undefined, sensors: SensorFlags): Promise<void> {
  if (file === undefined) return;
  const problem = await problemOf(file, sensors);
  if (problem === undefined) return;
  process.stderr.write(`devicemesh: --replay: ${problem}\n`);
  process.exit(2);
}

async function problemOf(file: string, sensors: SensorFlags): Promise<string | undefined> {
  try {
    const [inspected] = await inspectFiles([file], openSensorCatalog(sensors));
    await inspected!.sampled.close();
    return openText(inspected!);
  } catch (error) {
    if (!(error instanceof InputError || error instanceof SettingsError)) throw error;
    return error.message;
  }
}

function openText({ inspection, input }: InspectedInput): string | undefined {
  if (inspection.problem !== undefined) return `${input.name}: ${inspection.problem}`;
  const [question] = inspection.questions;
  return (
    question && `${input.name}: ${question.text}; load it with npm run import, which has ${question.flag}`
  );
}

/**
 * Loads a recording as fast as it is acknowledged, with a progress line, and prints the report. An unreadable file is
 * reported and does not affect anything else.
 * read is reported and ends nothing else.
 */
export async function replayInto({
  file,
  target,
  tls,
  sensors,
  signal,
  stdout,
  stderr,
}: ReplayInto): Promise<void> {
  const line = createStatusLine({ output: stderr, clock: systemClock });
  try {
    const catalog = openSensorCatalog(sensors);
    const inspected = await inspectFiles([file], catalog);
    const report = await loadRecordings(inspected, {
      to: target,
      tls,
      catalog,
      isDryRun: false,
      clock: systemClock,
      signal,
      onProgress: (progress) => line.show(progressText(progress)),
    });
    line.end();
    stdout.write(`\nreplayed ${inspected.map(inspectionText).join("")}${reportText(report)}`);
  } catch (error) {
    line.end();
    if (!(error instanceof InputError)) throw error;
    stderr.write(`devicemesh: --replay: ${error.message}\n`);
  }
}
