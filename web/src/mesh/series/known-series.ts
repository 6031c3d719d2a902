import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Series } from "@devicemesh/proto/es/devicemesh/v1/series_pb.ts";

/** A series and its latest reading. Times are in ms since 1970, by the device's clock. */
export type KnownSeries = {
  readonly key: string;
  readonly deviceId: string;
  readonly sensor: string;
  readonly unit: string;
  readonly count: bigint;
  readonly latestMs: number | undefined;
  readonly latestValue: number | undefined;
};

/** A series of the contract in the page's form. */
export function knownSeries({ deviceId, sensor, unit, count, latest }: Series): KnownSeries {
  return {
    key: `${deviceId}|${sensor}`,
    deviceId,
    sensor,
    unit,
    count,
    latestMs: latest?.timestamp && timestampMs(latest.timestamp),
    latestValue: latest?.value,
  };
}
