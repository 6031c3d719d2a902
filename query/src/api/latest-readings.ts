import { randomBytes } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import {
  ListSeriesRequestSchema,
  ListSeriesResponseSchema,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import type { UnitOf } from "../plan/merge.ts";
import type { ReadingStore } from "../store/reading-store.ts";
import { type ListSeriesPlace, listSeries } from "./list-series.ts";
import { createPageTokens } from "./page-token.ts";

/** The latest reading of a series; without a value if all its readings have expired. */
export type SeriesLatest = {
  readonly deviceId: string;
  readonly sensor: string;
  readonly unit: string;
  readonly count: bigint;
  readonly value: number | undefined;
  /** Ms since 1970, by the device's clock. */
  readonly atMs: number | undefined;
};

/** Number of series that are read. */
const seriesMax = 100;

/** Reads the latest values of the first series, by device and sensor, and the number of series. */
export function latestReadings(
  store: ReadingStore,
  unitOf: UnitOf,
): (signal: AbortSignal) => Promise<{ readonly readings: readonly SeriesLatest[]; readonly total: number }> {
  const pageTokens = createPageTokens<ListSeriesPlace>({ key: randomBytes(32), method: "latest" });
  return async (signal) => {
    const request = create(ListSeriesRequestSchema, { pageSize: seriesMax });
    const found = await listSeries({ store, clock: Date.now, pageTokens, unitOf }, request, signal);
    const { series, total } = create(ListSeriesResponseSchema, found);
    return {
      readings: series.map(({ deviceId, sensor, unit, count, latest }) => ({
        ...{ deviceId, sensor, unit, count },
        value: latest?.value,
        atMs: latest?.timestamp && timestampMs(latest.timestamp),
      })),
      total: Number(total),
    };
  };
}
