// What the store accepts: the number of series, the duplicates of a device, and the free space of the disk.
import { statfs } from "node:fs/promises";
import type { AdmitOlder, AdmitSeries } from "@devicemesh/ingest";
import { type RpcError, resourceExhausted } from "@devicemesh/kit/rpc/rpc-error";
import type { FoundDuplicates } from "./append/duckdb-duplicates.ts";
import type { SeriesRegistry } from "./series/series-registry.ts";

/** The maximum number of series. */
export type SeriesLimits = {
  /** In the store. */
  readonly max: number;
  /** Created by one publisher since the process started; publishers without identity count as one. */
  readonly maxPerPublisher: number;
};

/** One million; a quarter of them by one publisher. */
export const defaultSeriesLimits: SeriesLimits = { max: 1_000_000, maxPerPublisher: 250_000 };

/** Counts the series that each publisher has created. It outlives the store when that is opened again. */
export type SeriesMade = Map<string, number>;

/**
 * Decides whether a reading may create a series. An admitted series has its code from then on, so that the limits hold
 * for any number of readings in flight; it is stored with its first reading.
 */
export function createSeriesAdmission(
  registry: Pick<SeriesRegistry, "has" | "codeOf" | "size">,
  { max, maxPerPublisher }: SeriesLimits,
  madeBy: SeriesMade = new Map(),
): AdmitSeries {
  return (deviceId, sensorCode, publisher = "") => {
    if (registry.has(deviceId, sensorCode)) return undefined;
    if (registry.size >= max) {
      return `would begin a new series: the store has ${registry.size}, at most ${max} are accepted (--max-series)`;
    }
    const made = madeBy.get(publisher) ?? 0;
    if (made >= maxPerPublisher) {
      const who = publisher === "" ? "publishers without identity have" : `${publisher} has`;
      return `would begin a new series: ${who} begun ${made} since the server was started, at most ${maxPerPublisher} are accepted (--max-series-per-publisher)`;
    }
    madeBy.set(publisher, made + 1);
    registry.codeOf(deviceId, sensorCode);
    return undefined;
  };
}

const hourMs = 3_600_000;

/** Default number of duplicates and conflicts of one device an hour that are looked up. */
export const defaultDuplicatesPerHour = 1_000_000;

/** Limits the work that a device can cause with readings that are already stored. */
export type DuplicatesQuota = {
  /** Counts the duplicates of a commit. */
  add(found: FoundDuplicates): void;
  /**
   * Whether a reading is accepted. Of a device beyond its quota only readings later than all of their series are
   * accepted until the hour ends: an older one may be a duplicate, and finding out costs a look-up in the store.
   */
  readonly admit: AdmitOlder;
};

/** Creates the quota; `maxPerHour` applies to each device and each hour of the log's clock. */
export function createDuplicatesQuota(options: {
  readonly maxPerHour: number;
  readonly registry: Pick<SeriesRegistry, "get" | "isLatest">;
  /** Ms since 1970. */
  readonly nowMs: () => number;
}): DuplicatesQuota {
  const { maxPerHour, registry, nowMs } = options;
  let hour = 0;
  const counts = new Map<string, number>();
  const beyond = new Set<string>();

  function beginHour(): void {
    const current = Math.floor(nowMs() / hourMs);
    if (current === hour) return;
    hour = current;
    counts.clear();
    beyond.clear();
  }

  return {
    add(found) {
      if (found.size === 0) return;
      beginHour();
      for (const [series, { duplicates, conflicts }] of found) {
        const { deviceId } = registry.get(series);
        const count = (counts.get(deviceId) ?? 0) + duplicates + conflicts;
        counts.set(deviceId, count);
        if (count > maxPerHour) beyond.add(deviceId);
      }
    },
    admit(deviceId, sensorCode, timestampMs) {
      if (beyond.size === 0 || !beyond.has(deviceId)) return undefined;
      beginHour();
      if (!beyond.has(deviceId) || registry.isLatest(deviceId, sensorCode, timestampMs)) return undefined;
      const until = new Date((hour + 1) * hourMs).toISOString();
      return `the device has sent more than ${maxPerHour} duplicates and conflicts in this hour: until ${until} only readings later than those stored are accepted`;
    },
  };
}

/** The size of a file system and the part that this process can still use, in bytes. */
export type DiskSpace = { readonly freeBytes: number; readonly totalBytes: number };

/** The state of the disk: `low` is an early warning, at `full` no readings are accepted. */
export type DiskState = "ample" | "low" | "full";

/** Guards the free space of the store's folder. */
export type DiskReserve = {
  /** Measures the free space; returns the error with which readings must be rejected, or undefined. */
  check(): Promise<RpcError | undefined>;
  /** Sets the number of bytes inside the store's file that it can reuse without growing. */
  setReusable(bytes: number): void;
  /** Whether there is space for folding windows, which only makes answers faster. */
  mayFold(): boolean;
  /** The problem as text, for the status and the page; undefined while there is enough space. */
  problem(): string | undefined;
  /** The last measurement; undefined before the first. */
  measured():
    | { readonly state: DiskState; readonly freeBytes: number; readonly minFreeBytes: number }
    | undefined;
  /** Returns the error for a write that failed because the disk was full all the same. */
  rejection(cause?: unknown): RpcError;
};

/** The default reserve: 256 MiB, or a quarter of a smaller file system. */
export function defaultMinFreeBytes(totalBytes: number): number {
  return Math.min(256 * 1024 ** 2, Math.floor(totalBytes / 4));
}

/** Reads the space of the file system of `folder`. */
export async function readDiskSpace(folder: string): Promise<DiskSpace> {
  const { bsize, bavail, blocks } = await statfs(folder);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

/** Delay before a retry that senders receive, in ms. */
const retryDelayMs = 5000;

/**
 * The warning begins at this number of reserves, and readings are accepted again only a little above one, to avoid
 * flapping.
 */
const lowAtReserves = 2;
const resumeAtReserves = 1.1;

/** The write-ahead log grows outside the store's file: this part of the reserve must be free on the disk itself. */
const outsideShare = 1 / 2;

/**
 * Creates the guard. `onChange` is called once per change of state, with a description of the condition. A space that
 * cannot be measured is treated as sufficient: the write itself then fails and is reported.
 */
export function createDiskReserve(options: {
  readonly folder: string;
  /** Readings are rejected while less is free; `defaultMinFreeBytes` if undefined. 0 disables the guard. */
  readonly minFreeBytes?: number | undefined;
  readonly readSpace?: (folder: string) => Promise<DiskSpace>;
  readonly onChange?: (state: DiskState, text: string) => void;
}): DiskReserve {
  const { folder, readSpace = readDiskSpace, onChange = () => {} } = options;
  let reusableBytes = 0;
  let last:
    | { readonly state: DiskState; readonly freeBytes: number; readonly minFreeBytes: number }
    | undefined;

  function stateOf(freeBytes: number, minFreeBytes: number): DiskState {
    const usable = freeBytes + reusableBytes;
    const neededBytes = last?.state === "full" ? minFreeBytes * resumeAtReserves : minFreeBytes;
    if (usable < neededBytes || freeBytes < minFreeBytes * outsideShare) return "full";
    return usable < minFreeBytes * lowAtReserves ? "low" : "ample";
  }

  function text(): string {
    const { state, freeBytes = 0, minFreeBytes = 0 } = last ?? {};
    const where = `${mib(freeBytes)} free on the disk of ${folder}`;
    const fix = "free or add disk space, or set --retain-raw";
    if (state === "ample") return `disk space recovered: ${where}; readings are accepted`;
    if (state === "low") {
      return `disk space is low: ${where}; below ${mib(minFreeBytes)} (--min-free) readings are rejected: ${fix}`;
    }
    return `disk full: ${where}, ${mib(minFreeBytes)} are reserved (--min-free); readings are rejected until there is space, queries are answered: ${fix}`;
  }

  function rejection(cause?: unknown): RpcError {
    const description =
      last?.state === "full"
        ? text()
        : `disk full: the store in ${folder} could not be written: free or add disk space`;
    return resourceExhausted({ subject: "disk", description, message: description, retryDelayMs, cause });
  }

  return {
    async check() {
      const space = await readSpace(folder).catch(() => undefined);
      if (!space) return undefined;
      const { freeBytes, totalBytes } = space;
      const minFreeBytes = options.minFreeBytes ?? defaultMinFreeBytes(totalBytes);
      const before = last?.state ?? "ample";
      last = { state: stateOf(freeBytes, minFreeBytes), freeBytes, minFreeBytes };
      if (last.state !== before) onChange(last.state, text());
      return last.state === "full" ? rejection() : undefined;
    },
    setReusable(bytes) {
      reusableBytes = bytes;
    },
    // Half of the reserve is kept for required writes: the retention's deletions and checkpoints.
    mayFold: () => last === undefined || last.freeBytes + reusableBytes >= last.minFreeBytes / 2,
    problem: () => (last === undefined || last.state === "ample" ? undefined : text()),
    measured: () => last,
    rejection,
  };
}

function mib(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}
