import type { Clock, IngestTls, UnitSender } from "@devicemesh/client";
import { clockAheadMaxMs, type SensorCatalog } from "@devicemesh/proto";
import { createConverter } from "../convert/converter.ts";
import { deviceIds } from "../convert/device-ids.ts";
import { createDeviceNames } from "../convert/device-names.ts";
import { type Look, lookAt } from "../look/look.ts";
import type { ImportOptions } from "../look/options.ts";
import type { SensorLookup } from "../look/sensor-lookup.ts";
import { createSensorLookup } from "../sensors.ts";
import { fileInput, type Input, InputError } from "../source/inputs.ts";
import { type Sampled, sampleOf } from "../source/sample.ts";
import { openDelivery } from "./delivery.ts";
import { createReadingSink } from "./reading-sink.ts";
import type { ImportProgress, ImportReport } from "./report.ts";
import type { Place } from "./tally.ts";

/** An input and its description. */
export type LookedInput = { readonly input: Input; readonly sampled: Sampled; readonly look: Look };

/**
 * Samples every input, in order. The caller must close each `sampled` that it does not read.
 * @throws InputError if one is unreadable.
 */
export async function lookAtInputs(
  inputs: readonly Input[],
  context: { readonly options: ImportOptions; readonly lookup: SensorLookup },
): Promise<LookedInput[]> {
  const looked: LookedInput[] = [];
  for (const input of inputs) {
    const sampled = await sampleOf(input);
    looked.push({ input, sampled, look: lookAt(sampled.text, sampled.isWhole, context) });
  }
  return looked;
}

/** Samples files that need no flags. @throws InputError if one is unreadable. */
export async function lookAtFiles(paths: readonly string[], catalog: SensorCatalog): Promise<LookedInput[]> {
  const inputs = await Promise.all(paths.map(fileInput));
  return lookAtInputs(inputs, { options: {}, lookup: createSensorLookup(catalog) });
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
  looked: readonly LookedInput[],
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
  const totals = looked.map(({ input }) => input.bytesTotal);
  const bytesTotal = totals.reduce(
    (sum, total) => (sum === undefined || total === undefined ? undefined : sum + total),
    0,
  );
  const repeatedTimes = { first: 0, second: 0 };
  let bytesBefore = 0;
  let problem: string | undefined;

  function progress({ input, sampled }: LookedInput): void {
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

  async function load(file: LookedInput): Promise<void> {
    const { look, sampled, input } = file;
    sink.startFile(input.name);
    if (look.problem !== undefined) return sink.badFile(look.problem);
    const converter = look.plan && createConverter(look.plan, { deviceOf, latestMs });
    const reader = look.createReader();
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
    for (const file of looked) {
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
  for (const { sampled } of looked) await sampled.close();
  return {
    ...report,
    ended,
    problem: trouble ?? problem,
    isDryRun,
    files: looked.length,
    repeatedTimes,
    elapsedMs: clock.nowMs() - startedMs,
  };
}
