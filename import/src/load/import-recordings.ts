import type { Clock, IngestTls, UnitSender } from "@devicemesh/client";
import { clockAheadMaxMs, type SensorCatalog } from "@devicemesh/proto";
import { createConverter } from "../convert/converter.ts";
import { deviceIds } from "../convert/device-ids.ts";
import { createDeviceNames } from "../convert/device-names.ts";
import { type Inspection, inspect } from "../inspect/inspect.ts";
import type { ImportOptions } from "../inspect/options.ts";
import type { SensorLookup } from "../inspect/sensor-lookup.ts";
import { createSensorLookup } from "../sensors.ts";
import { fileInput, type Input, InputError } from "../source/inputs.ts";
import { type Sampled, sampleOf } from "../source/sample.ts";
import { openDelivery } from "./delivery.ts";
import { createReadingSink } from "./reading-sink.ts";
import type { ImportProgress, ImportReport } from "./report.ts";
import type { Place } from "./tally.ts";

/** An input and its description. */
export type InspectedInput = {
  readonly input: Input;
  readonly sampled: Sampled;
  readonly inspection: Inspection;
};

/**
 * Samples every input, in order. The caller must close each `sampled` that it does not read.
 * @throws InputError if one is unreadable.
 */
export async function inspectInputs(
  inputs: readonly Input[],
  context: { readonly options: ImportOptions; readonly lookup: SensorLookup },
): Promise<InspectedInput[]> {
  const inspected: InspectedInput[] = [];
  for (const input of inputs) {
    const sampled = await sampleOf(input);
    inspected.push({ input, sampled, inspection: inspect(sampled.text, sampled.isWhole, context) });
  }
  return inspected;
}

/** Samples files that need no flags. @throws InputError if one is unreadable. */
export async function inspectFiles(
  paths: readonly string[],
  catalog: SensorCatalog,
): Promise<InspectedInput[]> {
  const inputs = await Promise.all(paths.map(fileInput));
  return inspectInputs(inputs, { options: {}, lookup: createSensorLookup(catalog) });
}

/** How recordings are loaded. */
export type LoadOptions = {
  /** host:port of ingest. */
  readonly to: string;
  readonly tls?: IngestTls | undefined;
  /** The catalog with which the inputs were sampled. */
  readonly catalog: SensorCatalog;
  readonly isDryRun: boolean;
  readonly giveUpAfterMs?: number | undefined;
  readonly clock: Clock;
  /** Ends the import early. */
  readonly signal: AbortSignal;
  readonly sender?: UnitSender | undefined;
  /** Called with each rejected row and value, and the cells of its row. */
  onRefused?(place: Place, cells: readonly string[]): void;
  onProgress?(progress: ImportProgress): void;
};

/**
 * Reads the inputs in order and sends their readings to ingest, in constant memory. Of the readings with one identity
 * (device, sensor, time) the first one is stored. An input without a plan is counted as one bad row.
 */
export async function loadRecordings(
  inspected: readonly InspectedInput[],
  options: LoadOptions,
): Promise<ImportReport> {
  const { clock, signal, isDryRun } = options;
  const startedMs = clock.nowMs();
  const ending = new AbortController();
  const stopped = AbortSignal.any([signal, ending.signal]);
  const delivery = isDryRun ? undefined : openDelivery({ ...options, onGiveUp: () => ending.abort() });
  const sink = createReadingSink({ delivery, onRefused: options.onRefused });
  const deviceOf = createDeviceNames(deviceIds);
  const latestMs = startedMs + clockAheadMaxMs;
  const totals = inspected.map(({ input }) => input.bytesTotal);
  const bytesTotal = totals.reduce(
    (sum, total) => (sum === undefined || total === undefined ? undefined : sum + total),
    0,
  );
  const repeatedTimes = { first: 0, second: 0 };
  let bytesBefore = 0;
  let problem: string | undefined;

  function progress({ input, sampled }: InspectedInput): void {
    const answered = delivery?.answered();
    options.onProgress?.({
      file: input.name,
      rows: sink.counts().rows,
      acknowledged: answered?.acked ?? 0,
      acknowledgedPerSecond: answered?.perSecond ?? 0,
      bytesRead: bytesBefore + sampled.bytesRead(),
      bytesTotal,
      elapsedMs: clock.nowMs() - startedMs,
      trouble: delivery?.trouble(),
    });
  }

  async function load(file: InspectedInput): Promise<void> {
    const { inspection, sampled, input } = file;
    sink.startFile(input.name);
    if (inspection.problem !== undefined) return sink.badFile(inspection.problem);
    const converter = inspection.plan && createConverter(inspection.plan, { deviceOf, latestMs });
    const reader = inspection.createReader();
    const convert = async (text: string, isEnd: boolean) => {
      for (const row of reader.read(text, isEnd)) {
        sink.row(row, converter);
        if (sink.isFull()) await sink.capacity(stopped);
      }
    };
    for await (const text of sampled.texts()) {
      if (stopped.aborted) return;
      await convert(text, false);
      progress(file);
    }
    await convert("", true);
    const repeated = converter?.repeatedTimes();
    repeatedTimes.first += repeated?.first ?? 0;
    repeatedTimes.second += repeated?.second ?? 0;
  }

  try {
    for (const file of inspected) {
      await load(file);
      bytesBefore += file.input.bytesTotal ?? file.sampled.bytesRead();
    }
    await delivery?.flush(stopped);
  } catch (error) {
    if (error instanceof InputError) problem = error.message;
    else if (!stopped.aborted) throw error;
  }
  try {
    // Readings from before the damage are sent.
    if (problem !== undefined) await delivery?.flush(stopped);
  } catch (error) {
    if (!stopped.aborted) throw error;
  }
  const trouble = ending.signal.aborted ? delivery?.trouble() : undefined;
  const ended = ending.signal.aborted
    ? "gave-up"
    : stopped.aborted
      ? "interrupted"
      : problem === undefined
        ? "complete"
        : "failed";
  const report = await sink.report();
  sink.close();
  await delivery?.close();
  for (const { sampled } of inspected) await sampled.close();
  return {
    ...report,
    ended,
    problem: trouble ?? problem,
    isDryRun,
    files: inspected.length,
    repeatedTimes,
    elapsedMs: clock.nowMs() - startedMs,
  };
}
