import type { GatewayReading, RejectedValue } from "../readings/gateway-reading.ts";

/** What became of readings that were submitted together. */
export type Outcome =
  /** Each is durably stored, except those in the list; `index` is the place among the submitted readings. */
  | { readonly kind: "done"; readonly rejected: readonly RejectedValue[] }
  /** Some of them may be stored: submit all of them again later. */
  | { readonly kind: "unavailable"; readonly message: string; readonly retryAfterMs: number };

/** Readings of one submission that travel together. */
export type Parcel = {
  readonly readings: readonly GatewayReading[];
  readonly outcome: Promise<Outcome>;
  /** Whether the outcome is known: nothing more needs to be sent. */
  isSettled(): boolean;
  /** The reading at that place breaks a rule. */
  reject(index: number, rule: Pick<RejectedValue, "field" | "rule" | "text">): void;
  /** An attempt failed; the reason is reported if it was the last one. */
  failed(message: string): void;
  /** Every reading was stored or rejected. */
  end(): void;
  /** It will not be sent any more. */
  giveUp(): void;
};

/** A parcel of readings, whose places in their submission are `places`. It fails after `waitMs`, if given. */
export function createParcel({
  readings,
  places,
  waitMs,
  limits,
}: {
  readonly readings: readonly GatewayReading[];
  readonly places: readonly number[];
  readonly waitMs: number | undefined;
  readonly limits: { readonly retryAfterMs: number };
}): Parcel {
  const { promise: outcome, resolve } = Promise.withResolvers<Outcome>();
  const rejected: RejectedValue[] = [];
  let isSettled = false;
  let failure: string | undefined;

  function settle(result: Outcome): void {
    if (isSettled) return;
    isSettled = true;
    clearTimeout(timer);
    resolve(result);
  }
  const giveUp = (): void => {
    const reason = failure ?? "ingest has not answered";
    const message = `the readings could not be stored in time: ${reason}`;
    settle({ kind: "unavailable", message, retryAfterMs: limits.retryAfterMs });
  };
  const timer = waitMs === undefined ? undefined : setTimeout(giveUp, waitMs);
  return {
    readings,
    outcome,
    isSettled: () => isSettled,
    reject(index, rule) {
      rejected.push({ index: places[index]!, ...rule });
    },
    failed(message) {
      failure = message;
    },
    end: () => settle({ kind: "done", rejected }),
    giveUp,
  };
}
