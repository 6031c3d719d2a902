import { type SendFailure, systemClock, type UnitSender, wait } from "@devicemesh/client";
import { backoffDelayMs } from "@devicemesh/kit/lifetime/backoff";
import type { DeliveryLimits } from "./delivery.ts";
import { encodeUnit } from "./encode-unit.ts";
import type { Parcel } from "./parcel.ts";

/** A failed call to ingest; `isRejection` if ingest would reject the batch as a whole however often it is sent. */
export type AttemptFailure = Pick<SendFailure, "code" | "message"> & { readonly isRejection: boolean };

/**
 * Sends parcels in order, with retries, until each reading is stored or rejected, its parcel has expired, or the signal
 * aborts. Returns the parcels that still have readings then.
 */
export type SendBatch = (parcels: readonly Parcel[], signal: AbortSignal) => Promise<ReadonlySet<Parcel>>;

/** Sends batches to the ingest behind `sender`. */
export function createBatchSender({
  sender,
  limits,
  random,
  onAttempt,
}: {
  readonly sender: UnitSender;
  readonly limits: Pick<DeliveryLimits, "batchReadings" | "backoff">;
  readonly random: () => number;
  /** Called after each call to ingest; without a failure if it succeeded. */
  onAttempt(failure: AttemptFailure | undefined): void;
}): SendBatch {
  return async (parcels, signal) => {
    let entries = parcels.flatMap((parcel) =>
      parcel.readings.map((reading, index) => ({ parcel, reading, index })),
    );
    let groupSize = limits.batchReadings;
    let attempt = 0;
    while (!signal.aborted) {
      entries = entries.filter(({ parcel }) => !parcel.isSettled());
      if (entries.length === 0) break;
      const group = entries.slice(0, groupSize);
      const result = await sender.send(encodeUnit(group.map(({ reading }) => reading)), signal);
      if (result.kind === "acked") {
        onAttempt(undefined);
        attempt = 0;
        groupSize = limits.batchReadings;
        const listed = result.refusedReadings;
        for (const { ordinal, fieldPath, ruleId, text } of listed) {
          const entry = group[Number(ordinal)];
          entry?.parcel.reject(entry.index, { field: fieldPath, rule: ruleId, text });
        }
        // The list is bounded: if more are rejected, the readings after its last entry are sent again.
        const isComplete = result.refused <= listed.length;
        entries = entries.slice(isComplete ? group.length : Number(listed.at(-1)?.ordinal ?? -1n) + 1);
        continue;
      }
      if (signal.aborted) break;
      const isRejection = rejectsWhole(result);
      onAttempt({ code: result.code, message: result.message, isRejection });
      if (isRejection && group.length > 1) {
        groupSize = group.length >> 1;
      } else if (isRejection) {
        const { parcel, index } = group[0]!;
        parcel.reject(index, { field: "", rule: result.code, text: result.message });
        entries = entries.slice(1);
      } else {
        for (const { parcel } of group) parcel.failed(result.message);
        const { backoff } = limits;
        const delayMs = backoffDelayMs({ attempt, askedMs: result.retryDelayMs, backoff, random });
        await wait({ clock: systemClock, delayMs, signal });
        attempt += 1;
      }
    }
    return new Set(entries.map(({ parcel }) => parcel));
  };
}

/** Whether the same call can never succeed. */
function rejectsWhole({ code, retryDelayMs }: SendFailure): boolean {
  return code === "INVALID_ARGUMENT" || (code === "RESOURCE_EXHAUSTED" && retryDelayMs === undefined);
}
