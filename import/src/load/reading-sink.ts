import type { Converter, ReadingSink } from "../convert/converter.ts";
import type { Row } from "../formats/row.ts";
import type { Delivery } from "./delivery.ts";
import { createDuplicateIndex, type FoundDuplicates, type IndexedReading } from "./duplicate-index.ts";
import type { ImportReport } from "./report.ts";
import { type Counts, createTally, type Place } from "./tally.ts";

/** The part of a report that the values determine. */
export type ValuesReport = Omit<
  ImportReport,
  "ended" | "problem" | "isDryRun" | "files" | "repeatedTimes" | "elapsedMs"
>;

/** Sends readings and counts the outcomes of all values. */
export type CountingSink = {
  startFile(name: string): void;
  /** Counts an unreadable file. */
  badFile(reason: string): void;
  /** Converts a row; without a converter only its problem counts. */
  row(row: Row, converter: Converter | undefined): void;
  /** Whether readings wait for capacity: await `capacity` before the next row. */
  isFull(): boolean;
  capacity(signal: AbortSignal): Promise<void>;
  counts(): Counts;
  report(): Promise<ValuesReport>;
  close(): void;
};

type Waiting = {
  readonly deviceId: string;
  readonly code: number;
  readonly ms: number;
  readonly value: number;
};

const noCells: Row = { line: 1, names: [], cells: [], problem: undefined };

/** Creates a sink that sends to the delivery; without one it only counts. */
export function createReadingSink({
  delivery,
  onRefused = () => {},
}: {
  readonly delivery: Delivery | undefined;
  readonly onRefused?: ((place: Place, cells: readonly string[]) => void) | undefined;
}): CountingSink {
  const tally = createTally();
  const index = createDuplicateIndex();
  const files: string[] = [];
  let waiting: Waiting[] = [];
  let file = "";

  const sink: ReadingSink = {
    reading(row, deviceId, sensor, ms, value) {
      tally.reading();
      index.add(deviceId, sensor.code, ms, { value, file: files.length - 1, line: row.line });
      if (delivery === undefined) return;
      if (waiting.length > 0 || !delivery.add(deviceId, sensor.code, ms, value))
        waiting.push({ deviceId, code: sensor.code, ms, value });
    },
    missing: () => tally.missing(),
    unknown: (_, name) => tally.unknown(name),
    refused: (row, column, reason) => onRefused(tally.refused(file, row, column, reason), row.cells),
    bad: (row, reason) => onRefused(tally.bad(file, row, reason), row.cells),
  };

  return {
    startFile(name) {
      file = name;
      files.push(name);
    },
    badFile: (reason) => onRefused(tally.bad(file, noCells, reason), []),
    row(row, converter) {
      tally.row();
      if (converter !== undefined) converter.convert(row, sink);
      else sink.bad(row, row.problem ?? "no row of its kind can be read");
    },
    isFull: () => waiting.length > 0,
    async capacity(signal) {
      while (waiting.length > 0) {
        await delivery?.capacity(signal);
        const all = waiting;
        waiting = [];
        for (const [at, { deviceId, code, ms, value }] of all.entries()) {
          if (delivery?.add(deviceId, code, ms, value)) continue;
          waiting = all.slice(at);
          break;
        }
      }
    },
    counts: tally.counts,
    async report() {
      const counts = tally.counts();
      const found = await index.find();
      const { stored, duplicates, conflicts, resent, ...rest } = storedOf(delivery, counts.readings, found);
      const refusedByIngest = delivery?.answered().refused ?? 0;
      return {
        rows: counts.rows,
        values: counts.values,
        stored,
        duplicates,
        conflicts,
        resent,
        ...rest,
        missing: counts.missing,
        unknownSensor: counts.unknown,
        refused: counts.refused + refusedByIngest,
        badRows: counts.badRows,
        unsent: counts.readings - stored - duplicates - conflicts - resent - refusedByIngest,
        unknownSensors: tally.unknownSensors(),
        refusals: tally.refusals(),
        refusedByIngest: delivery?.refusedReadings() ?? [],
        conflictPlaces: found.firstConflicts.map(({ reading, first }) => ({
          file: files[reading.file] ?? "",
          line: reading.line,
          column: undefined,
          text: `${reading.value}, while ${placeName(files, reading.file, first)} has ${first.value} for the same device, sensor and time`,
        })),
      };
    },
    close: index.close,
  };
}

/** How many readings were stored now and before, by ingest if it knows, else by what comes again in the recordings. */
function storedOf(delivery: Delivery | undefined, readings: number, found: FoundDuplicates) {
  const answered = delivery?.answered();
  const before = answered?.storedBefore;
  if (answered && before && before.unknown === 0) {
    const { duplicates, conflicts, resent } = before;
    const stored = answered.acked - duplicates - conflicts - resent;
    return { stored, duplicates, conflicts, resent, unchecked: 0, areEarlierLoadsKnown: true };
  }
  const acked = answered?.acked ?? readings;
  // A duplicate is among the stored readings, unless ingest rejected it the first time too.
  const again = Math.min(found.duplicates + found.conflicts, acked);
  const conflicts = Math.min(found.conflicts, again);
  return {
    stored: acked - again,
    duplicates: again - conflicts,
    conflicts,
    resent: 0,
    unchecked: found.unknown,
    areEarlierLoadsKnown: false,
  };
}

function placeName(files: readonly string[], file: number, first: IndexedReading): string {
  return first.file === file ? `line ${first.line}` : `${files[first.file]} line ${first.line}`;
}
