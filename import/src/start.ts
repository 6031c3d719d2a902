import type { Readable } from "node:stream";
import { type Clock, readIngestTls } from "@devicemesh/client";
import { loadSettings } from "@devicemesh/kit/settings/define-settings";
import { openSensorCatalog } from "@devicemesh/kit/settings/sensor-settings";
import { SettingsError } from "@devicemesh/kit/settings/settings-error";
import type { SensorCatalog } from "@devicemesh/proto";
import { readStated, unknownColumns } from "./inspect/stated-options.ts";
import { type InspectedInput, inspectInputs, loadRecordings } from "./load/import-recordings.ts";
import { inspectionText } from "./report/inspection-text.ts";
import { openRefusedFile } from "./report/refused-file.ts";
import { progressText, reportText } from "./report/report-text.ts";
import { createStatusLine, type Output } from "./report/status-line.ts";
import { createSensorLookup } from "./sensors.ts";
import { type ImportSettings, importSettings } from "./settings.ts";
import { findInputs, InputError } from "./source/inputs.ts";

/** The environment of the command. */
export type ImportContext = {
  /** The arguments, without node and script. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable;
  /** Standard output: the descriptions of recordings, and the report. */
  readonly stdout: Output;
  /** Standard error: progress and problems. */
  readonly stderr: Output;
  readonly clock: Clock;
  /** Aborts when the user interrupts. */
  readonly interrupted: AbortSignal;
};

/**
 * Runs `npm run import` and resolves to its exit code: 0 if no reading was rejected, 1 if one was rejected or not sent,
 * 2 if the command could not start or a recording has open questions.
 */
export async function runImport(context: ImportContext): Promise<number> {
  const { args, env, stdout, stderr } = context;
  const loaded = loadSettings(importSettings, { args, env });
  if (loaded.kind !== "settings") {
    (loaded.kind === "help" ? stdout : stderr).write(loaded.text);
    return loaded.kind === "help" ? 0 : 2;
  }
  try {
    return await importFiles(loaded.values, loaded.positionals, context);
  } catch (error) {
    if (!(error instanceof InputError || error instanceof SettingsError)) throw error;
    return refuse(stderr, [error.message]);
  }
}

async function importFiles(
  values: ImportSettings,
  files: readonly string[],
  context: ImportContext,
): Promise<number> {
  const { stdin, stdout, stderr } = context;
  if (files.length === 0)
    return refuse(stderr, ["name files, folders or globs, or - for standard input; --help lists the flags"]);
  const tls = readIngestTls(values);
  const catalog = openSensorCatalog(values);
  const lookup = createSensorLookup(catalog);
  const stated = readStated(values, lookup);
  if (stated.kind === "problems") return refuse(stderr, stated.problems);
  const { options } = stated;
  const inspected = await inspectInputs(await findInputs(files, stdin), { options, lookup });
  for (const one of inspected) stdout.write(inspectionText(one));
  const problems = unknownColumns(
    options,
    new Set(inspected.flatMap(({ inspection }) => inspection.sample.flatMap(({ names }) => names))),
  );
  if (problems.length === 0 && inspected.every(({ inspection }) => inspection.questions.length === 0)) {
    return load(values, { inspected, tls, catalog }, context);
  }
  for (const { sampled } of inspected) await sampled.close();
  return refuse(stderr, [...problems, ...openText(inspected)]);
}

/** The dependencies of loading recordings without open questions. */
type Ready = {
  readonly inspected: readonly InspectedInput[];
  readonly tls: ReturnType<typeof readIngestTls>;
  readonly catalog: SensorCatalog;
};

async function load(
  values: ImportSettings,
  { inspected, tls, catalog }: Ready,
  { stdout, stderr, clock, interrupted }: ImportContext,
): Promise<number> {
  const refusedFile = values.badRows === undefined ? undefined : openRefusedFile(values.badRows);
  const line = createStatusLine({ output: stderr, clock });
  const report = await loadRecordings(inspected, {
    to: values.to,
    tls,
    catalog,
    isDryRun: values.dryRun,
    giveUpAfterMs: values.giveUpAfterMs,
    clock,
    signal: interrupted,
    ...(refusedFile === undefined ? {} : { onRefused: refusedFile.add }),
    onProgress: (progress) => line.show(progressText(progress)),
  });
  line.end();
  refusedFile?.close();
  stdout.write(reportText(report));
  return report.ended === "complete" && report.refused === 0 && report.badRows === 0 ? 0 : 1;
}

/** Prints all open questions of the recordings, and that nothing was loaded. */
function openText(inspected: readonly InspectedInput[]): string[] {
  const open = inspected.filter(({ inspection }) => inspection.questions.length > 0);
  const flags = new Set(open.flatMap(({ inspection }) => inspection.questions.map(({ flag }) => flag)));
  return open.length === 0 ? [] : [`nothing was loaded: state ${[...flags].join(", ")}`];
}

function refuse(stderr: Output, problems: readonly string[]): number {
  stderr.write(problems.map((problem) => `${problem}\n`).join(""));
  return 2;
}
