import { unlessAborted } from "@devicemesh/kit/async/time-limit";
import type { Scan } from "@devicemesh/query";
import type { AddReading, CommitObserver, RecentReadings } from "../append/commit-clock.ts";
import type { ReadingColumns } from "../append/duplicate-filter.ts";
import type { DuckdbReaders } from "./duckdb-readers.ts";
import { rawQuery } from "./raw-query.ts";

/**
 * Raw readings in blocks of one finest window each, cached in memory after they were read: the edges of answers. Within
 * a bound, the least recently used are dropped first.
 */
export type RawMemory = {
  /**
   * Passes the readings of these spans to `add` and returns true; returns false, before any, if the spans or their
   * readings are too many for the cache. Includes every reading that was committed before the call. Throws the errors of
   * the readers.
   */
  read(
    spans: readonly Pick<Scan, "sinceMs" | "toMs">[],
    add: AddReading,
    signal: AbortSignal,
  ): Promise<boolean>;
  /** Size of the blocks in bytes. */
  readonly bytes: number;
};

/** Maximum number of readings of one block; more are read by a statement each time. */
export const blockRowsMax = 65_536;

/** Maximum number of blocks of one read. */
const readBlocksMax = 4;

/** Number of bytes of a reading, and of a block beside its readings. */
const rowBytes = 14;
const blockBytes = 400;

/** The readings of a block: offsets are ms after its start. */
type Block = {
  length: number;
  series: Int32Array;
  offsets: Uint16Array;
  values: Float64Array;
  isTooLarge: boolean;
  loading: Promise<void> | undefined;
  /** The commit during which it was read, whose readings it may have; 0 if there was none. */
  readDuring: number;
};

/**
 * Creates an empty cache of blocks of `windowMs`; it caches nothing if these are longer than a minute. It observes the
 * commits from its first block on: these add their readings to the blocks that they touch.
 */
export function createRawMemory({
  readers,
  commits,
  windowMs,
  bytesMax,
}: {
  readonly readers: Pick<DuckdbReaders, "readNumbers">;
  readonly commits: Pick<RecentReadings, "running" | "observe">;
  readonly windowMs: number;
  readonly bytesMax: number;
}): RawMemory {
  const isUsed = windowMs < 2 ** 16 && bytesMax > 0;
  const blocks = new Map<number, Block>();
  // A read serves all callers that wait for the block, so no caller's signal may end it.
  const never = new AbortController().signal;
  let bytes = 0;

  function forget(place: number, block: Block): void {
    blocks.delete(place);
    if (!block.loading) bytes -= bytesOf(block);
  }

  function drop(): void {
    for (const [place, block] of blocks) {
      if (bytes <= bytesMax) return;
      if (!block.loading) forget(place, block);
    }
  }

  /** Reads new blocks, which lie between two places or are two. */
  async function load(loaded: ReadonlyMap<number, Block>): Promise<void> {
    const spans = [...loaded.keys()].map((place) => ({
      sinceMs: place * windowMs,
      toMs: (place + 1) * windowMs,
      arrivedSinceMs: Number.NEGATIVE_INFINITY,
      arrivedToMs: Number.POSITIVE_INFINITY,
    }));
    await readers.readNumbers(rawQuery(spans, { rowsMax: blockRowsMax + 1 }), never, (columns, length) => {
      const [series, timestampsMs, values] = columns as readonly [Int32Array, Float64Array, Float64Array];
      const rows = { length, series, timestampsMs, values };
      addRows(rows, windowMs, (place) => loaded.get(place));
    });
    for (const [place, block] of loaded) {
      if (block.length < block.values.length) resize(block, block.length);
      block.loading = undefined;
      block.readDuring = commits.running;
      // A commit that touched it meanwhile has removed it.
      if (blocks.get(place) === block) bytes += bytesOf(block);
    }
    drop();
  }

  /** Returns the blocks of these places, and begins to read missing ones, two with each statement. */
  function blocksOf(places: readonly number[]): Block[] {
    const missing: [number, Block][] = [];
    const found = places.map((place) => {
      const known = blocks.get(place);
      const block = known ?? newBlock();
      if (!known) missing.push([place, block]);
      blocks.delete(place);
      blocks.set(place, block);
      return block;
    });
    if (missing.length > 0) commits.observe(observer);
    for (let first = 0; first < missing.length; first += 2) {
      const loaded = new Map(missing.slice(first, first + 2));
      const loading = load(loaded).catch((error: unknown) => {
        for (const [place, block] of loaded) if (blocks.get(place) === block) blocks.delete(place);
        throw error;
      });
      // Its callers may have given up by then.
      loading.catch(() => {});
      for (const block of loaded.values()) block.loading = loading;
    }
    return found;
  }

  const observer: CommitObserver = {
    committed(readings, commit) {
      const bytesBefore = new Map<Block, number>();
      addRows(readings, windowMs, (place) => {
        const block = blocks.get(place);
        if (!block) return undefined;
        if (!block.loading && block.readDuring !== commit) {
          if (!bytesBefore.has(block)) bytesBefore.set(block, bytesOf(block));
          return block;
        }
        // It has the whole commit or nothing of it, which is right only for callers that began before its end.
        forget(place, block);
        return undefined;
      });
      for (const [block, before] of bytesBefore) bytes += bytesOf(block) - before;
      drop();
    },
    failed() {
      blocks.clear();
      bytes = 0;
    },
  };

  return {
    get bytes() {
      return bytes;
    },
    async read(spans, add, signal) {
      const places = isUsed ? placesOf(spans, windowMs) : undefined;
      if (!places) return false;
      const found = blocksOf(places);
      for (const { loading } of found) if (loading) await unlessAborted(loading, signal);
      if (found.some(({ isTooLarge }) => isTooLarge)) return false;
      for (const { sinceMs, toMs } of spans) {
        for (const [at, { length, series, offsets, values }] of found.entries()) {
          const startMs = (places[at] as number) * windowMs;
          const since = sinceMs - startMs;
          const to = toMs - startMs;
          if (since >= windowMs || to <= 0) continue;
          for (let row = 0; row < length; row++) {
            const offset = offsets[row] as number;
            if (offset >= since && offset < to) {
              add(series[row] as number, startMs + offset, values[row] as number);
            }
          }
        }
      }
      return true;
    },
  };
}

function newBlock(): Block {
  return {
    length: 0,
    series: new Int32Array(0),
    offsets: new Uint16Array(0),
    values: new Float64Array(0),
    isTooLarge: false,
    loading: undefined,
    readDuring: 0,
  };
}

function bytesOf({ values }: Block): number {
  return values.length * rowBytes + blockBytes;
}

/** Returns the places of the blocks of some spans, in order; undefined if they are too many. */
function placesOf(
  spans: readonly Pick<Scan, "sinceMs" | "toMs">[],
  windowMs: number,
): readonly number[] | undefined {
  const places = new Set<number>();
  for (const { sinceMs, toMs } of spans) {
    const first = Math.floor(sinceMs / windowMs);
    const last = Math.floor((toMs - 1) / windowMs);
    if (last - first >= readBlocksMax) return undefined;
    for (let place = first; place <= last; place++) places.add(place);
  }
  return places.size > readBlocksMax ? undefined : [...places];
}

/** Adds readings to the blocks of their places; those without a block are left out. */
function addRows(
  { length, series, timestampsMs, values }: Readonly<ReadingColumns>,
  windowMs: number,
  blockOf: (place: number) => Block | undefined,
): void {
  let first = 0;
  while (first < length) {
    const place = Math.floor((timestampsMs[first] as number) / windowMs);
    const startMs = place * windowMs;
    let end = first + 1;
    while (end < length && isWithin(timestampsMs[end] as number, startMs, windowMs)) end++;
    const block = blockOf(place);
    if (block && reserve(block, end - first)) {
      block.series.set(series.subarray(first, end), block.length);
      block.values.set(values.subarray(first, end), block.length);
      for (let row = first; row < end; row++) {
        block.offsets[block.length++] = (timestampsMs[row] as number) - startMs;
      }
    }
    first = end;
  }
}

function isWithin(ms: number, startMs: number, windowMs: number): boolean {
  return ms >= startMs && ms < startMs + windowMs;
}

/** Makes space for more readings; returns false, and empties the block, if they are too many. */
function reserve(block: Block, more: number): boolean {
  const length = block.length + more;
  if (block.isTooLarge) return false;
  if (length > blockRowsMax) {
    const { loading, readDuring } = block;
    Object.assign(block, newBlock(), { isTooLarge: true, loading, readDuring });
    return false;
  }
  if (length > block.values.length) resize(block, Math.max(length, block.values.length * 2));
  return true;
}

function resize(block: Block, capacity: number): void {
  const { length, series, offsets, values } = block;
  block.series = new Int32Array(capacity);
  block.offsets = new Uint16Array(capacity);
  block.values = new Float64Array(capacity);
  block.series.set(series.subarray(0, length));
  block.offsets.set(offsets.subarray(0, length));
  block.values.set(values.subarray(0, length));
}
