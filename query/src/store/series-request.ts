import type { SensorName } from "@devicemesh/proto";
import type { SeriesFilter, SeriesName } from "./reading-store.ts";

/** Which series to find, a page at a time. */
export type SeriesRequest = {
  readonly filter: SeriesFilter;
  /** Only those after this one; from the first by default. */
  readonly after?: SeriesName;
  readonly limit: number;
};

/** A page of series, and how many match in all. */
export type SeriesFound = {
  readonly series: readonly { readonly deviceId: string; readonly sensor: SensorName }[];
  readonly total: number;
};
