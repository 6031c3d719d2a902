import { collections } from "@devicemesh/chain";
import { resourceExhausted } from "@devicemesh/kit/rpc-error";
import type { Db, Document } from "mongodb";
import { callMongo, largeCall } from "./mongo-call.ts";
import { partialFields, scanStages } from "./mongo-conditions.ts";
import type { ReadingStore, WindowRepeats } from "./reading-store.ts";

type RepeatsRequest = Parameters<ReadingStore["readRepeats"]>[0];

/** The most windows of one answer: what a thousand series send again of an hour, some hundred bytes each. */
export const repeatedWindowsMax = 400_000;

/** The pipeline that finds windows with repeats. Pure. */
export function repeatsPipeline({ filter, sinceMs, toMs }: RepeatsRequest): Document[] {
  const scan = {
    sinceMs,
    toMs,
    arrivedSinceMs: Number.NEGATIVE_INFINITY,
    arrivedToMs: Number.POSITIVE_INFINITY,
  };
  return [
    ...scanStages({ scan, fields: partialFields, filter }),
    { $limit: repeatedWindowsMax + 1 },
    {
      $project: {
        _id: 0,
        d: "$device_id",
        s: "$sensor",
        w: "$window_start",
        f: "$first_repeat",
        l: "$last_repeat",
        t: "$repair.through",
      },
    },
  ];
}

type Row = {
  readonly d: string;
  readonly s: string;
  readonly w: Date;
  readonly f: Date;
  readonly l: Date;
  readonly t?: Date;
};

/** Reads windows with repeats. @throws RpcError RESOURCE_EXHAUSTED if there are more than `repeatedWindowsMax`. */
export async function findRepeats(
  db: Db,
  request: RepeatsRequest,
  signal: AbortSignal,
): Promise<WindowRepeats[]> {
  if (request.sinceMs >= request.toMs) return [];
  const rows = await callMongo(signal, largeCall, (options) =>
    db
      .collection(collections.windowRepeats)
      .aggregate<Row>(repeatsPipeline(request), { ...options, batchSize: 10_000 })
      .toArray(),
  );
  if (rows.length > repeatedWindowsMax) {
    throw resourceExhausted({
      subject: "windows with repeats",
      description: `there are more than ${repeatedWindowsMax} in the timeframe: ask for a shorter one or for fewer series`,
    });
  }
  return rows.map((row) => ({
    deviceId: row.d,
    sensor: row.s,
    windowMs: row.w.getTime(),
    firstRepeatMs: row.f.getTime(),
    lastRepeatMs: row.l.getTime(),
    repairThroughMs: row.t?.getTime(),
  }));
}
