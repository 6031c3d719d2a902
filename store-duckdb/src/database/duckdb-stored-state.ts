import type { KeptSince, Level, SensorName } from "@devicemesh/proto";
import type { DuckDBConnection } from "@duckdb/node-api";
import type { StoredSeries } from "../series/series-registry.ts";
import { StoreOpenError } from "./duckdb-database.ts";

/** The state of the file when it is opened. */
export type StoredState = {
  /** The series in the order of their codes. */
  readonly series: Iterable<StoredSeries>;
  /** The codes of the series in the order (device_id, sensor). */
  readonly sortedCodes: readonly number[];
  readonly frontiersMs: readonly number[];
  readonly keptSince: KeptSince;
  readonly logEndMs: number | undefined;
  readonly duplicates: number;
  readonly conflicts: number;
};

/**
 * Reads the state of the file, and records the levels if it is new.
 * @throws StoreOpenError if the file was made with other levels.
 */
export async function readStored(
  connection: DuckDBConnection,
  levels: readonly Level[],
  file: string,
): Promise<StoredState> {
  const rows = async (sql: string): Promise<unknown[][]> => (await connection.runAndReadAll(sql)).getRows();
  const storedLevels = await rows(
    "SELECT window_ms::DOUBLE, segment_ms::DOUBLE, frontier::DOUBLE FROM levels ORDER BY level",
  );
  if (storedLevels.length === 0) {
    const values = levels.map((level, place) => `(${place}, ${level.windowMs}, ${level.segmentMs}, 0)`);
    await connection.run(`INSERT INTO levels VALUES ${values.join(", ")}`);
  } else if (!sameLevels(storedLevels, levels)) {
    throw new StoreOpenError(
      `the store ${file} was made with other sizes of windows or segments: choose another folder with --data, or the sizes it was made with`,
    );
  }
  const series = await readSeries(connection);
  const sortedCodes = await connection.runAndReadAll("SELECT code FROM series ORDER BY device_id, sensor");
  const kept = new Map((await rows("SELECT level, since::DOUBLE FROM kept_since")) as [number, number][]);
  const keptAt = (level: number): number => kept.get(level) ?? Number.NEGATIVE_INFINITY;
  const [[logEnd = null] = []] = await rows("SELECT max(arrived)::DOUBLE FROM readings");
  const [[duplicates = 0, conflicts = 0] = []] = await rows(
    "SELECT duplicates::DOUBLE, conflicts::DOUBLE FROM repeats",
  );
  return {
    series: series(),
    sortedCodes: (sortedCodes.getColumns()[0] ?? []) as number[],
    frontiersMs: levels.map((_, level) => (storedLevels[level]?.[2] as number | undefined) ?? 0),
    keptSince: { rawMs: keptAt(-1), levelsMs: levels.map((_, level) => keptAt(level)) },
    logEndMs: (logEnd as number | null) ?? undefined,
    duplicates: duplicates as number,
    conflicts: conflicts as number,
  };
}

/** Reads the series by column, and yields them one by one: there may be a million. */
async function readSeries(connection: DuckDBConnection) {
  const result = await connection.runAndReadAll(
    `SELECT code, device_id, sensor, latest::DOUBLE FROM series
     LEFT JOIN (SELECT series AS code, max(ts) AS latest FROM readings GROUP BY series) USING (code) ORDER BY code`,
  );
  const [codes = [], deviceIds = [], sensors = [], latest = []] = result.getColumns();
  return function* series(): Generator<StoredSeries> {
    for (const [row, code] of codes.entries()) {
      yield {
        code: code as number,
        deviceId: deviceIds[row] as string,
        sensor: sensors[row] as SensorName,
        latestMs: (latest[row] as number | null) ?? Number.NEGATIVE_INFINITY,
      };
    }
  };
}

function sameLevels(stored: readonly (readonly unknown[])[], levels: readonly Level[]): boolean {
  return (
    stored.length === levels.length &&
    levels.every(({ windowMs, segmentMs }, level) => {
      const [storedWindowMs, storedSegmentMs] = stored[level] ?? [];
      return storedWindowMs === windowMs && storedSegmentMs === segmentMs;
    })
  );
}
