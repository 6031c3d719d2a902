import { decodeDeviceId } from "@devicemesh/proto/device-ids";
import { GroupBy } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import { linesMax } from "../../chart/palette.ts";
import type { Targets } from "../../mesh/series/targets.ts";
import type { Selection } from "../../state/selection.ts";

/** The query of a selection. */
export type Question = {
  readonly deviceIds: readonly string[];
  readonly sensors: readonly string[];
  readonly groupBy: GroupBy;
  /** Set if only these of the given number of series are drawn. */
  readonly left: { readonly shown: number; readonly total: number } | undefined;
};

/**
 * Returns one line for each series if there are few, or if the user chose it (then at most `linesMax`); otherwise one
 * for each sensor. Pure.
 */
export function questionOf(
  { lines }: Pick<Selection, "lines">,
  targets: Extract<Targets, { kind: "devices" }>,
): Question {
  const { deviceIds, sensors, series, total } = targets;
  const isMany = total > linesMax;
  if (lines === "sensor" || (lines === "auto" && isMany))
    return { deviceIds, sensors, groupBy: GroupBy.SENSOR, left: undefined };
  if (!isMany) return { deviceIds, sensors, groupBy: GroupBy.SERIES, left: undefined };
  const shown = series.slice(0, linesMax);
  return {
    deviceIds: [...new Set(shown.map(({ deviceId }) => deviceId))],
    sensors,
    groupBy: GroupBy.SERIES,
    left: { shown: linesMax, total },
  };
}

/** The JSON of a query of the contract. */
export function questionJson(
  { deviceIds, sensors, groupBy }: Pick<Question, "deviceIds" | "sensors" | "groupBy">,
  { sinceMs, toMs }: { readonly sinceMs?: number; readonly toMs?: number },
): Record<string, unknown> {
  return {
    ...(deviceIds.length > 0 && { deviceIds }),
    ...(sensors.length > 0 && { sensors }),
    ...(sinceMs !== undefined && { since: new Date(sinceMs).toISOString() }),
    ...(toMs !== undefined && { to: new Date(toMs).toISOString() }),
    groupBy: groupBy === GroupBy.SENSOR ? "GROUP_BY_SENSOR" : "GROUP_BY_SERIES",
  };
}

/** The parameters of the export of a query; an export of buckets has their size and grouping too. */
export function exportParameters(
  { deviceIds, sensors, groupBy }: Pick<Question, "deviceIds" | "sensors" | "groupBy">,
  { sinceMs, toMs }: { readonly sinceMs?: number; readonly toMs?: number },
  buckets?: { readonly bucket: string; readonly zone: string },
): Record<string, string> {
  return {
    ...(deviceIds.length > 0 && { device: deviceIds.join(",") }),
    ...(sensors.length > 0 && { sensor: sensors.join(",") }),
    ...(sinceMs !== undefined && { since: new Date(sinceMs).toISOString() }),
    ...(toMs !== undefined && { to: new Date(toMs).toISOString() }),
    ...(buckets && { ...buckets, group_by: groupBy === GroupBy.SENSOR ? "sensor" : "series" }),
  };
}

/** The label of a line or row: its device and sensor, or its sensor over all devices. */
export function nameOf(
  { deviceId, sensor }: { readonly deviceId: string; readonly sensor: string },
  allDevices: string,
): string {
  return `${sensor.replaceAll("_", " ")}, ${deviceId === "" ? allDevices : decodeDeviceId(deviceId)}`;
}
