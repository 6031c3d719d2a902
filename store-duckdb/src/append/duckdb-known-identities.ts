import { createLoopShare } from "@devicemesh/kit/async/event-loop-share";
import { alignDown } from "@devicemesh/proto";
import type { DuckDBConnection } from "@duckdb/node-api";
import { numbersOf } from "../database/duckdb-columns.ts";
import { betweenSql } from "../database/store-sql.ts";
import { pushReading, type ReadingColumns, type SortedMessages } from "./duplicate-filter.ts";
import { createIdentitySet, type IdentitySet, identitiesMax } from "./identity-set.ts";

/**
 * Separates late readings from duplicates in memory. A look-up in the store reads all rows of the readings' span of
 * time, which for readings of a whole day costs more the more is stored.
 */
export type KnownIdentities = {
  /** Whether it has any, and must get the readings of every commit. */
  readonly isActive: boolean;
  /**
   * Moves those possible duplicates to `fresh` that are certainly new; the others must be looked up. Must be called
   * before the transaction of every commit that has possible duplicates, and while it is active, of every commit.
   * @returns the places that the remaining ones had.
   */
  moveNew(sorted: SortedMessages): Promise<(row: number) => number>;
};

/** When the set begins, ends, and how large it may be. */
export type KnownIdentitiesLimits = {
  /** It begins at a commit with this number of late readings, */
  readonly lateReadings: number;
  /** or after this number of commits with any. */
  readonly lateCommits: number;
  /** Number of stored identities that are read at most, so that it is not full at once. */
  readonly loadMax: number;
  /** It is dropped when as many readings were stored without a late one. */
  readonly inOrderMax: number;
};

/** Up to 64 MiB, only while late readings arrive. */
export const defaultKnownIdentitiesLimits: KnownIdentitiesLimits = {
  lateReadings: 1000,
  lateCommits: 16,
  loadMax: identitiesMax * 0.6,
  inOrderMax: 4_000_000,
};

/** The set begins at a whole hour, so that it does not begin earlier and earlier with each commit. */
const stepMs = 3_600_000;

/** The shares of a commit's late readings that a smaller set may leave to the store. */
const leftShares = [0, 0.01, 0.5];

/** Creates it without any identities. `connection` is the one that writes the readings. */
export function createKnownIdentities(
  connection: Pick<DuckDBConnection, "stream" | "runAndReadAll">,
  limits: KnownIdentitiesLimits = defaultKnownIdentitiesLimits,
): KnownIdentities {
  // It has every stored reading with a timestamp from `sinceMs` on, and some that were not stored after all.
  let set: IdentitySet | undefined;
  let sinceMs = Number.POSITIVE_INFINITY;
  // There were too many readings from here on, and there are not less since.
  let unfitSinceMs = Number.NEGATIVE_INFINITY;
  let lateCommits = 0;
  let inOrder = 0;

  function drop(): void {
    set = undefined;
    sinceMs = Number.POSITIVE_INFINITY;
    lateCommits = 0;
  }

  async function load(into: IdentitySet, fromMs: number): Promise<boolean> {
    const where = betweenSql("ts", fromMs, sinceMs);
    const counted = await connection.runAndReadAll(`SELECT count(*)::DOUBLE FROM readings WHERE ${where}`);
    const rows = counted.getRows()[0]?.[0] as number;
    const share = createLoopShare();
    if (into.size + rows > limits.loadMax || !(await into.reserve(rows, share))) return false;
    const result = await connection.stream(`SELECT series, ts FROM readings WHERE ${where}`);
    for (;;) {
      const chunk = await result.fetchChunk();
      if (!chunk || chunk.rowCount === 0) return !into.isOverflown;
      const [series, timestampsMs] = numbersOf(chunk.chunk, "ib", chunk.rowCount);
      for (let row = 0; row < chunk.rowCount; row++) {
        into.add(series?.[row] as number, timestampsMs?.[row] as number);
      }
      await share();
    }
  }

  /** Lets the set begin early enough for these readings, or for most of them, if it is not too large then. */
  async function cover({ timestampsMs, length }: ReadingColumns): Promise<void> {
    const sorted = timestampsMs.slice(0, length).sort();
    for (const left of leftShares) {
      const fromMs = alignDown(sorted[Math.floor(left * length)] as number, stepMs);
      if (fromMs >= sinceMs) return;
      if (fromMs <= unfitSinceMs) continue;
      set ??= createIdentitySet();
      if (await load(set, fromMs)) {
        sinceMs = fromMs;
        return;
      }
      unfitSinceMs = fromMs;
    }
    if (sinceMs === Number.POSITIVE_INFINITY) set = undefined;
  }

  function isEarlier({ timestampsMs, length }: ReadingColumns): boolean {
    for (let row = 0; row < length; row++) if ((timestampsMs[row] as number) < sinceMs) return true;
    return false;
  }

  /** Whether there is a set with space for this commit. */
  async function isReady({ fresh, possibleDuplicates: late }: SortedMessages): Promise<boolean> {
    if (late.length > 0) {
      lateCommits++;
      inOrder = 0;
      if (!set && late.length < limits.lateReadings && lateCommits < limits.lateCommits) return false;
      if (isEarlier(late)) await cover(late);
    } else if (set) {
      inOrder += fresh.length;
      if (inOrder > limits.inOrderMax) drop();
    }
    if (set && !(await set.reserve(fresh.length + late.length, createLoopShare()))) drop();
    return set !== undefined;
  }

  async function moveNew(sorted: SortedMessages): Promise<(row: number) => number> {
    if (!(await isReady(sorted))) return (row) => row;
    const { fresh, possibleDuplicates: late } = sorted;
    const known = set as IdentitySet;
    for (let row = 0; row < fresh.length; row++) {
      const timestampMs = fresh.timestampsMs[row] as number;
      if (timestampMs >= sinceMs) known.add(fresh.series[row] as number, timestampMs);
    }
    const places: number[] = [];
    for (let row = 0; row < late.length; row++) {
      const [series, timestampMs] = [late.series[row] as number, late.timestampsMs[row] as number];
      if (timestampMs >= sinceMs && known.add(series, timestampMs)) {
        pushReading(fresh, series, timestampMs, late.values[row] as number);
        continue;
      }
      late.series[places.length] = series;
      late.timestampsMs[places.length] = timestampMs;
      late.values[places.length] = late.values[row] as number;
      places.push(row);
    }
    late.length = places.length;
    if (known.isOverflown) drop();
    return (row) => places[row] as number;
  }

  const identities = {
    isActive: false,
    async moveNew(sorted: SortedMessages) {
      try {
        return await moveNew(sorted);
      } finally {
        identities.isActive = set !== undefined;
      }
    },
  };
  return identities;
}
