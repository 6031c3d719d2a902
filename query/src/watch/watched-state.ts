import { create } from "@bufbuild/protobuf";
import {
  type WatchAggregatesResponse,
  WatchAggregatesResponseSchema,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { aggregateRow, bucketMessage, coverageMessage } from "../answer/aggregate-rows.ts";
import { fixedGrid } from "../calendar/bucket-grid.ts";
import type { Aggregate } from "../plan/merge.ts";
import type { LiveWindow } from "./live-window.ts";

/**
 * Maximum number of rows of one message. With the longest device ids a row has about 800 bytes of JSON, so a message
 * stays below 3 MiB, which clients with default limits accept.
 */
export const messageRowsMax = 2500;

/** The latest answer to a query, and the rows that are newer than a watcher's version. */
export type WatchedState = {
  /** The number of the latest state, which increases when a row changes; 0 before the first. */
  readonly version: number;
  /** Number of rows in memory. */
  readonly size: number;
  /** Stores the result of a read. All watchers have `knownToAll` or a later version. */
  update(window: LiveWindow, knownToAll: number): void;
  /**
   * Returns the messages for a watcher with this version, 0 for none: then at least one, otherwise none if nothing has
   * changed. It uses a consistent state: later updates do not appear in pending messages.
   */
  messagesSince(version: number): Iterable<WatchAggregatesResponse>;
};

/** A row, and the version in which it last changed. */
type Versioned = { readonly row: Aggregate; readonly version: number };

/** The metadata of a message. */
type MessageRows = {
  readonly snapshot: boolean;
  readonly window: LiveWindow;
  readonly buckets: readonly Aggregate[];
  readonly ahead: readonly Aggregate[];
};

/** Creates the state of a query that was not read yet. It holds the rows of one answer. */
export function createWatchedState(bucketMs: number): WatchedState {
  const grid = fixedGrid(bucketMs);
  const bucket = { seconds: BigInt(Math.floor(bucketMs / 1000)), nanos: (bucketMs % 1000) * 1_000_000 };
  let version = 0;
  let latest: LiveWindow | undefined;
  let buckets: ReadonlyMap<string, Versioned> = new Map();
  let ahead: ReadonlyMap<string, Versioned> = new Map();
  // Watchers with the same version share one message, which is built once.
  let built = new Map<number, WatchAggregatesResponse>();

  function messageOf(rows: MessageRows): WatchAggregatesResponse {
    return create(WatchAggregatesResponseSchema, {
      snapshot: rows.snapshot,
      bucket,
      buckets: rows.buckets.map((row) => bucketMessage(row, grid)),
      ahead: rows.ahead.map(aheadRow),
      coverage: coverageMessage(rows.window.coverage),
    });
  }

  function* parts({ snapshot, window, buckets, ahead }: MessageRows): Generator<WatchAggregatesResponse> {
    let isFirst = snapshot;
    for (const [kind, rows] of Object.entries({ buckets, ahead })) {
      for (let from = 0; from < rows.length; from += messageRowsMax) {
        const part = { buckets: [], ahead: [], [kind]: rows.slice(from, from + messageRowsMax) };
        yield messageOf({ snapshot: isFirst, window, ...part });
        isFirst = false;
      }
    }
  }

  return {
    get version() {
      return version;
    },
    get size() {
      return buckets.size + ahead.size;
    },
    update(window, knownToAll) {
      const next = version + 1;
      const nextBuckets = versioned(window.buckets, buckets, next);
      const nextAhead = versioned(window.ahead, ahead, next);
      for (const [key, known] of ahead) {
        if (nextAhead.has(key)) continue;
        if (known.row.partial.count > 0) nextAhead.set(key, { row: emptied(known.row), version: next });
        else if (known.version > knownToAll) nextAhead.set(key, known);
      }
      const isChanged = [...nextBuckets.values(), ...nextAhead.values()].some((row) => row.version === next);
      if (isChanged || version === 0) version = next;
      latest = window;
      buckets = nextBuckets;
      ahead = nextAhead;
      built = new Map();
    },
    messagesSince(known) {
      const window = latest;
      if (window === undefined || known >= version) return [];
      const ready = built.get(known);
      if (ready) return [ready];
      const snapshot = known === 0;
      const rows = {
        buckets: changedSince(buckets, known),
        ahead: changedSince(ahead, known).filter(({ partial }) => !snapshot || partial.count > 0),
      };
      // Long answers are not kept: their messages need more memory than their rows.
      if (rows.buckets.length + rows.ahead.length > messageRowsMax)
        return parts({ snapshot, window, ...rows });
      const message = messageOf({ snapshot, window, ...rows });
      built.set(known, message);
      return [message];
    },
  };
}

/** Returns the rows by their keys; unchanged rows keep the version in which they last changed. */
function versioned(
  rows: readonly Aggregate[],
  known: ReadonlyMap<string, Versioned>,
  next: number,
): Map<string, Versioned> {
  return new Map(
    rows.map((row) => {
      const key = `${row.deviceId}\n${row.sensor}\n${row.bucketMs}`;
      const before = known.get(key);
      return [key, before && isSame(before.row, row) ? { ...before, row } : { row, version: next }];
    }),
  );
}

/**
 * A reading never changes, so a bucket with the same count is the same. Readings that are ahead become current in
 * order, the earliest first: then the first one differs.
 */
function isSame({ partial: a }: Aggregate, { partial: b }: Aggregate): boolean {
  return a.count === b.count && a.firstAtMs === b.firstAtMs;
}

function changedSince(rows: ReadonlyMap<string, Versioned>, known: number): Aggregate[] {
  return [...rows.values()].filter(({ version }) => version > known).map(({ row }) => row);
}

function emptied(row: Aggregate): Aggregate {
  return { ...row, partial: { ...row.partial, count: 0 } };
}

/** A row of readings ahead; if there are none any more, only the group and a count of 0. */
function aheadRow(row: Aggregate): ReturnType<typeof aggregateRow> {
  const { deviceId, sensor, unit, partial } = row;
  return partial.count > 0 ? aggregateRow(row) : { deviceId, sensor, unit };
}
