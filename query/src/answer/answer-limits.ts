import { resourceExhausted } from "@devicemesh/kit/rpc/rpc-error";
import type { Grouping } from "../plan/merge.ts";

/** Maximum number of rows of one answer, which bounds its memory and its message. */
export const answerRowsMax = 100_000;

/** Maximum number of buckets of one series in an answer. */
export const seriesBucketsMax = 10_000;

/** Maximum number of sensors with one unit of each device in an answer with devices as rows. */
const deviceSensorsMax = 10;

/**
 * More partials than this would give too many rows, or need too much memory: a device has one for each of its sensors.
 */
export function partialsMaxOf(grouping: Grouping): number {
  return grouping === "device" ? answerRowsMax * deviceSensorsMax : answerRowsMax;
}

/** @throws RpcError RESOURCE_EXHAUSTED if an answer has more than `answerRowsMax` rows. */
export function checkRows(rows: number, fix: string): void {
  if (rows <= answerRowsMax) return;
  throw resourceExhausted({
    subject: "rows of the answer",
    description: `there are at least ${rows}, at most ${answerRowsMax} are answered: ${fix}`,
  });
}
