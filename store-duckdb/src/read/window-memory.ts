import { unlessAborted } from "@devicemesh/kit/async/time-limit";
import type { Level } from "@devicemesh/proto";
import { createColumnMerge, fitsColumns, type Scan, type WindowColumns } from "@devicemesh/query";
import { partialsTable } from "../database/store-sql.ts";
import type { SeriesRegistry } from "../series/series-registry.ts";
import type { DuckdbReaders } from "./duckdb-readers.ts";
import { addPartialRows, partialRowColumns, partialRowsSql } from "./partial-rows.ts";
import { everyTime, windowsBySensor } from "./sensor-windows.ts";

/**
 * Windows of folded segments, cached in memory after they were read; within a bound, the least recently used are
 * dropped first.
 */
export type WindowMemory = {
  /**
   * Returns windows that include everything that a scan over partials of a level finds, and others outside its span of
   * time; with `bySensor` those of all devices of a sensor as one row if that makes them much fewer. Undefined if they
   * are too many for the cache, or if the store has folded more since the scan was planned. Throws the errors of the
   * readers.
   */
  windowsOf(
    request: { readonly level: number; readonly scan: Scan; readonly bySensor: boolean },
    signal: AbortSignal,
  ): Promise<readonly WindowColumns[] | undefined>;
  /** Size of the windows in bytes. */
  readonly bytes: number;
};

/** Maximum number of rows of one block: about 4 MB, which are read in 15 ms. */
const blockRowsMax = 65_536;

/** Maximum number of rows that a coarser level has not folded yet, which are one block. */
const tailRowsMax = 262_144;

/** Number of windows in a block of the coarsest level. */
const coarsestWindows = 32;

/** A level with at most this number of partials is one block. */
const wholeRowsMax = 32_768;

/** Maximum number of blocks of one scan, and of the cache: a block without rows takes a few hundred bytes. */
const scanBlocksMax = 1000;
const blocksMax = 10_000;

/** Maximum size of a row in bytes, to decide before reading whether a scan fits. */
const rowBytesMax = 76;

/** Cached partials: one row for each series and window, of all segments [sinceMs, throughMs). */
type Block = {
  /** Undefined before the first read, and while there are too many rows. */
  windows: WindowColumns | undefined;
  /** The same by sensor, once a query has needed them. */
  bySensor: WindowColumns | undefined;
  throughMs: number;
  loading: Promise<void> | undefined;
};

/** The partials of a block: of windows of a level that start in a span, and of segments since a time. */
type BlockBounds = Pick<Scan, "sinceMs" | "toMs" | "arrivedSinceMs"> & {
  readonly level: number;
  readonly rowsMax: number;
};

/** The number of partials of a level with segments before a time, and the span of their windows. */
type Extent = {
  rows: number;
  firstMs: number;
  lastMs: number;
  throughMs: number;
  loading: Promise<void> | undefined;
};

function extentSql(level: number): string {
  return `SELECT count(*)::DOUBLE, coalesce(min(window_start), 0)::DOUBLE, coalesce(max(window_start), 0)::DOUBLE
FROM ${partialsTable(level)} WHERE segment >= $1 AND segment < $2`;
}

function bytesOf({ windows, bySensor }: Pick<Block, "windows" | "bySensor">): number {
  return (windows?.bytes ?? 0) + (bySensor && bySensor !== windows ? bySensor.bytes : 0);
}

/**
 * Creates an empty cache. It needs no invalidation: a partial of a segment before the frontier never changes, later
 * folds are of later segments, and plans do not include data that retention deletes.
 */
export function createWindowMemory(dependencies: {
  readonly readers: DuckdbReaders;
  readonly levels: readonly Level[];
  readonly registry: Pick<SeriesRegistry, "saved" | "isDeviceBefore" | "sensorCodeOf">;
  readonly bytesMax: number;
}): WindowMemory {
  const { readers, levels, registry, bytesMax } = dependencies;
  const fits = levels.map(({ windowMs }) => fitsColumns(windowMs));
  const blocks = new Map<string, Block>();
  const extents = levels.map(
    (): Extent => ({
      rows: 0,
      firstMs: Number.POSITIVE_INFINITY,
      lastMs: Number.NEGATIVE_INFINITY,
      throughMs: Number.NEGATIVE_INFINITY,
      loading: undefined,
    }),
  );
  // A read serves all callers that wait for the block, so no caller's signal may end it.
  const never = new AbortController().signal;
  let bytes = 0;

  /**
   * Returns the number of windows in a block of a level: a part of a coarser window, so that an edge needs one block.
   */
  function windowsPerBlock(level: number): number {
    const coarser = levels[level + 1];
    const most = coarser ? coarser.windowMs / (levels[level] as Level).windowMs : coarsestWindows;
    let parts = 1;
    while (parts < most && (most % parts !== 0 || (most / parts) * registry.saved > blockRowsMax)) parts++;
    return most / parts;
  }

  async function loadExtent(level: number, extent: Extent, throughMs: number): Promise<void> {
    const query = { sql: extentSql(level), columns: "ddd", parameters: [extent.throughMs, throughMs] };
    await readers.readNumbers(query, never, (found) => {
      const [rows = 0, firstMs = 0, lastMs = 0] = found.map(([figure]) => figure as number);
      if (rows === 0) return;
      extent.rows += rows;
      extent.firstMs = Math.min(extent.firstMs, firstMs);
      extent.lastMs = Math.max(extent.lastMs, lastMs);
    });
    extent.throughMs = throughMs;
  }

  function use(key: string): Block {
    const block = blocks.get(key) ?? {
      windows: undefined,
      bySensor: undefined,
      throughMs: Number.NEGATIVE_INFINITY,
      loading: undefined,
    };
    blocks.delete(key);
    blocks.set(key, block);
    return block;
  }

  function keep(key: string, block: Block, kept: Pick<Block, "windows" | "bySensor">): void {
    if (blocks.get(key) === block) bytes += bytesOf(kept) - bytesOf(block);
    block.windows = kept.windows;
    block.bySensor = kept.bySensor;
    for (const [oldest, old] of blocks) {
      if (bytes <= bytesMax && blocks.size <= blocksMax) return;
      blocks.delete(oldest);
      bytes -= bytesOf(old);
    }
  }

  async function loadBlock(key: string, block: Block, bounds: BlockBounds, throughMs: number): Promise<void> {
    const { level, rowsMax } = bounds;
    const merge = createColumnMerge({
      groupOf: (series) => series,
      bucketOf: (startMs) => startMs,
      isBefore: () => false,
    });
    const known = block.windows;
    if (known) merge.addWindows(known, everyTime);
    const sinceMs = known ? block.throughMs : bounds.arrivedSinceMs;
    let rows = 0;
    const parameters = [bounds.sinceMs, bounds.toMs, sinceMs, throughMs, rowsMax * 2 + 1];
    await readers.readNumbers(
      { sql: `${partialRowsSql(level)} LIMIT $5`, columns: partialRowColumns, parameters },
      never,
      (columns, length) => {
        rows += length;
        addPartialRows(merge, columns, length);
      },
    );
    const isTooMany = rows > rowsMax * 2 || merge.size > rowsMax;
    if (isTooMany || !known || rows > 0) {
      const windows = isTooMany ? undefined : merge.toWindows((levels[level] as Level).windowMs);
      keep(key, block, { windows, bySensor: undefined });
    }
    block.throughMs = throughMs;
  }

  /** The state of the block or the extent is at least as new as this. */
  async function through<State extends Block | Extent>(
    state: State,
    throughMs: number,
    load: () => Promise<void>,
    signal: AbortSignal,
  ): Promise<State> {
    while (state.throughMs < throughMs) {
      state.loading ??= load().finally(() => {
        state.loading = undefined;
      });
      await unlessAborted(state.loading, signal);
    }
    return state;
  }

  /** Returns the windows of a block through this arrival; undefined if it has none, or is later. */
  async function windowsIn(
    bounds: BlockBounds,
    throughMs: number,
    bySensor: boolean,
    signal: AbortSignal,
  ): Promise<WindowColumns | undefined> {
    const key = Object.values(bounds).join(" ");
    const block = use(key);
    await through(block, throughMs, () => loadBlock(key, block, bounds, throughMs), signal);
    const { windows } = block;
    if (block.throughMs !== throughMs || !windows) return undefined;
    if (!bySensor) return windows;
    if (!block.bySensor) keep(key, block, { windows, bySensor: windowsBySensor(windows, registry) });
    return block.bySensor;
  }

  /** Returns the blocks of a scan; undefined if they would not fit. */
  async function blocksOf(
    level: number,
    { sinceMs, toMs, arrivedSinceMs, arrivedToMs }: Scan,
    signal: AbortSignal,
  ): Promise<readonly BlockBounds[] | undefined> {
    const { windowMs, segmentMs } = levels[level] as Level;
    // The coarser level has not folded much, whatever the span of time.
    if (arrivedSinceMs > 0) {
      const expected = registry.saved * ((arrivedToMs - arrivedSinceMs) / segmentMs);
      if (expected > tailRowsMax) return undefined;
      return [{ ...everyTime, arrivedSinceMs, level, rowsMax: tailRowsMax }];
    }
    const extent = extents[level] as Extent;
    await through(extent, arrivedToMs, () => loadExtent(level, extent, arrivedToMs), signal);
    if (extent.rows <= wholeRowsMax) return [{ ...everyTime, arrivedSinceMs, level, rowsMax: blockRowsMax }];
    const windows = windowsPerBlock(level);
    const spanMs = windows * windowMs;
    const first = Math.floor(Math.max(sinceMs, extent.firstMs) / spanMs);
    const count = Math.ceil(Math.min(toMs, extent.lastMs + windowMs) / spanMs) - first;
    const rows = Math.min(count * windows * registry.saved, extent.rows);
    if (count > scanBlocksMax || rows * rowBytesMax > bytesMax / 2) return undefined;
    return Array.from({ length: Math.max(count, 0) }, (_, place) => ({
      sinceMs: (first + place) * spanMs,
      toMs: (first + place + 1) * spanMs,
      arrivedSinceMs,
      level,
      rowsMax: blockRowsMax,
    }));
  }

  return {
    get bytes() {
      return bytes;
    },
    async windowsOf({ level, scan, bySensor }, signal) {
      if (!fits[level]) return undefined;
      const found: WindowColumns[] = [];
      const bounds = await blocksOf(level, scan, signal);
      if (!bounds) return undefined;
      for (const each of bounds) {
        const windows = await windowsIn(each, scan.arrivedToMs, bySensor, signal);
        if (!windows) return undefined;
        found.push(windows);
      }
      return found;
    },
  };
}
