import { unlessAborted } from "@devicemesh/kit/async/time-limit";
import type { ReadingRows, Scan } from "@devicemesh/query";
import type { CommitObserver, RecentReadings } from "../append/commit-clock.ts";
import type { DuckdbReaders } from "./duckdb-readers.ts";
import {
  addToBlocks,
  blockRowsMax,
  bytesOfBlock,
  compact,
  createRawBlock,
  type RawBlock,
} from "./raw-block.ts";
import { rawQuery } from "./raw-query.ts";

/**
 * Raw readings in blocks of one finest window each, cached in memory after they were read: the edges of answers. Within
 * a bound, the least recently used are dropped first.
 */
export type RawMemory = {
  /**
   * Passes blocks with the readings of these spans to `add`, each with the span, and returns true; returns false, before
   * any, if the spans or their readings are too many for the cache. Includes every reading that was committed before the
   * call. Throws the errors of the readers.
   */
  read(spans: readonly TimeSpan[], add: AddReadings, signal: AbortSignal): Promise<boolean>;
  /** Size of the blocks in bytes. */
  readonly bytes: number;
};

type TimeSpan = Pick<Scan, "sinceMs" | "toMs">;

/** Receives readings, of which those within the span are to be used. They are valid until it returns. */
type AddReadings = (readings: ReadingRows, within: TimeSpan) => void;

/** Maximum number of blocks of one read. */
const readBlocksMax = 4;

/** A block with its read. */
type Block = RawBlock & {
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
    if (!block.loading) bytes -= bytesOfBlock(block);
  }

  function drop(): void {
    for (const [place, block] of blocks) {
      if (bytes <= bytesMax) return;
      if (block.loading) continue;
      // Commits have made some blocks large.
      bytes -= bytesOfBlock(block);
      compact(block);
      bytes += bytesOfBlock(block);
      if (bytes > bytesMax) forget(place, block);
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
      addToBlocks(rows, windowMs, (place) => loaded.get(place));
    });
    for (const [place, block] of loaded) {
      compact(block);
      block.loading = undefined;
      block.readDuring = commits.running;
      // A commit that touched it meanwhile has removed it.
      if (blocks.get(place) === block) bytes += bytesOfBlock(block);
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
      addToBlocks(readings, windowMs, (place) => {
        const block = blocks.get(place);
        if (!block) return undefined;
        if (!block.loading && block.readDuring !== commit) {
          if (!bytesBefore.has(block)) bytesBefore.set(block, bytesOfBlock(block));
          return block;
        }
        // It has the whole commit or nothing of it, which is right only for callers that began before its end.
        forget(place, block);
        return undefined;
      });
      for (const [block, before] of bytesBefore) bytes += bytesOfBlock(block) - before;
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
      for (const span of spans) {
        for (const [at, { length, series, offsets, values, divisor }] of found.entries()) {
          const startMs = (places[at] as number) * windowMs;
          if (span.sinceMs >= startMs + windowMs || span.toMs <= startMs) continue;
          add({ length, startMs, series, offsets, values, divisor }, span);
        }
      }
      return true;
    },
  };
}

function newBlock(): Block {
  return { ...createRawBlock(), loading: undefined, readDuring: 0 };
}

/** Returns the places of the blocks of some spans, in order; undefined if they are too many. */
function placesOf(spans: readonly TimeSpan[], windowMs: number): readonly number[] | undefined {
  const places = new Set<number>();
  for (const { sinceMs, toMs } of spans) {
    const first = Math.floor(sinceMs / windowMs);
    const last = Math.floor((toMs - 1) / windowMs);
    if (last - first >= readBlocksMax) return undefined;
    for (let place = first; place <= last; place++) places.add(place);
  }
  return places.size > readBlocksMax ? undefined : [...places];
}
