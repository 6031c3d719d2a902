import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "@connectrpc/connect";
import { millisecondsFloor } from "@devicemesh/proto";
import type { AggregatorService } from "@devicemesh/proto/es/devicemesh/v1/aggregator_service_pb.ts";

/** A batch of the window job. */
export type WindowBatch = {
  readonly batch: number;
  readonly rows: number;
  readonly batchMs: number;
};

/** The polled state of the window job and the frontier. Times are ms since 1970. */
export type WindowJobObservation = {
  /** Undefined before the first one. */
  readonly batch: WindowBatch | undefined;
  /** Number of messages that it has not read. */
  readonly lag: number;
  readonly rowsDropped: number;
  /** The frontier of the finest level; 0 if there is none. */
  readonly frontierMs: number;
};

type AggregatorClient = Pick<Client<typeof AggregatorService>, "getWindowJobStatus">;

/** Polls the aggregator. */
export async function observeWindowJob(client: AggregatorClient): Promise<WindowJobObservation> {
  const { windowJob: job, frontiers } = await client.getWindowJobStatus({}, { timeoutMs: 10_000 });
  const { batchDuration: lasted, processedRowsPerSecond = 0, lag = 0n, rowsDropped = 0n } = job ?? {};
  const batchMs = lasted ? Number(lasted.seconds) * 1000 + lasted.nanos / 1e6 : 0;
  return {
    // Spark divides the rows of a batch by its duration.
    ...(job?.batch === undefined
      ? { batch: undefined }
      : {
          batch: {
            batch: Number(job.batch),
            rows: Math.round((processedRowsPerSecond * batchMs) / 1000),
            batchMs,
          },
        }),
    lag: Number(lag),
    rowsDropped: Number(rowsDropped),
    frontierMs: frontiers[0] ? millisecondsFloor(frontiers[0]) : 0,
  };
}

/** Watches the window job until it is stopped. */
export type BatchWatch = {
  /** The last poll. */
  readonly last: WindowJobObservation | undefined;
  /** Resolves to the observed batches, each once; it may have missed short ones. */
  stop(): Promise<readonly WindowBatch[]>;
};

/** Polls the window job four times a second: it changes about once. */
export function watchBatches(client: AggregatorClient, first: WindowBatch | undefined): BatchWatch {
  const stopping = new AbortController();
  const batches: WindowBatch[] = [];
  let newest = first?.batch ?? -1;
  let last: WindowJobObservation | undefined;
  const watching = (async () => {
    while (!stopping.signal.aborted) {
      last = await observeWindowJob(client).catch(() => last);
      const batch = last?.batch;
      if (batch && batch.batch > newest) {
        newest = batch.batch;
        batches.push(batch);
      }
      await delay(250, undefined, { signal: stopping.signal }).catch(() => {});
    }
  })();
  return {
    get last() {
      return last;
    },
    async stop() {
      stopping.abort();
      await watching;
      return batches;
    },
  };
}

/** The busy batches: with at least a tenth of the rows of the largest. Others only wait for more. */
export function busyBatches(batches: readonly WindowBatch[]): readonly WindowBatch[] {
  const most = Math.max(0, ...batches.map(({ rows }) => rows));
  return batches.filter(({ rows }) => rows > 0 && rows >= most / 10);
}

/** Rows a second over all batches: all rows divided by all their time. @throws RangeError if there are none. */
export function rowsPerSecond(batches: readonly WindowBatch[]): number {
  const ms = batches.reduce((sum, { batchMs }) => sum + batchMs, 0);
  if (ms === 0) throw new RangeError("no batches");
  return (batches.reduce((sum, { rows }) => sum + rows, 0) / ms) * 1000;
}
