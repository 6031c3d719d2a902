import { resourceExhausted } from "@devicemesh/kit/rpc/rpc-error";
import type { Grouping } from "../plan/merge.ts";

/** The most rows of one answer; it bounds the memory and the message of an answer. */
export const answerRowsMax = 100_000;

/** The most buckets of one series in an answer. */
export const seriesBucketsMax = 10_000;

/** So many sensors in one unit may each device of an answer have whose rows are devices. */
const deviceSensorsMax = 10;

/** More partials than this give too many rows, or cost too much memory: a device has one for each of its sensors. */
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
