import type { Converter, ReadingSink } from "../convert/converter.ts";
import type { Row } from "../formats/row.ts";
import { listedMax } from "../limits.ts";
import type { KnownSensor } from "../look/sensor-lookup.ts";
import type { Delivery } from "./delivery.ts";
import { createRepeatCounter } from "./duplicate-counter.ts";
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
  /** Whether readings wait for capacity: await `room` before the next row. */
  isFull(): boolean;
  room(signal: AbortSignal): Promise<void>;
  counts(): Counts;
  report(): ValuesReport;
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
  const repeats = createRepeatCounter();
  const found = { first: 0, duplicate: 0, conflict: 0, unknown: 0 };
  const conflictPlaces: Place[] = [];
  let waiting: Waiting[] = [];
  let file = "";

  const sink: ReadingSink = {
    reading(row, deviceId, sensor, ms, value) {
      tally.reading();
      const repeat = repeats.look(deviceId, sensor.code, ms, value);
      found[repeat] += 1;
      if (repeat === "conflict" && conflictPlaces.length < listedMax) {
        conflictPlaces.push(conflictPlace(file, row, { deviceId, sensor, ms, value }));
      }
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
    },
    badFile: (reason) => onRefused(tally.bad(file, noCells, reason), []),
    row(row, converter) {
      tally.row();
      if (converter !== undefined) converter.convert(row, sink);
      else sink.bad(row, row.problem ?? "no row of its kind can be read");
    },
    isFull: () => waiting.length > 0,
    async room(signal) {
      while (waiting.length > 0) {
        await delivery?.room(signal);
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
    report() {
      const counts = tally.counts();
      const answered = delivery?.answered() ?? { stored: counts.readings, refused: 0 };
      // Ingest answers every reading that was sent. A duplicate counts as stored there, unless ingest rejected the
      // first one too.
      const again = Math.min(found.duplicate + found.conflict, answered.stored);
      const conflicts = Math.min(found.conflict, again);
      const unsent = counts.readings - answered.stored - answered.refused;
      return {
        rows: counts.rows,
        values: counts.values,
        stored: answered.stored - again,
        duplicates: again - conflicts,
        conflicts,
        missing: counts.missing,
        unknownSensor: counts.unknown,
        refused: counts.refused + answered.refused,
        badRows: counts.badRows,
        unsent,
        unchecked: found.unknown,
        unknownSensors: tally.unknownSensors(),
        refusals: tally.refusals(),
        refusedByIngest: delivery?.refusedReadings() ?? [],
        conflictPlaces,
      };
    },
  };
}

function conflictPlace(
  file: string,
  row: Row,
  reading: {
    readonly deviceId: string;
    readonly sensor: KnownSensor;
    readonly ms: number;
    readonly value: number;
  },
): Place {
  const { deviceId, sensor, ms, value } = reading;
  const text = `${deviceId} at ${new Date(ms).toISOString()} has another ${sensor.sensor} before; ${value} is not stored`;
  return { file, line: row.line, column: undefined, text };
}
