import { type Backoff, backoffDelayMs } from "@devicemesh/kit/lifetime/backoff";
import { type Clock, wait } from "../clock.ts";
import type { Random } from "../random.ts";
import { type StoredBefore, storedBeforeOf, sumOfStoredBefore } from "./stored-before.ts";
import type { SendAcked, SendFailure, Unit, UnitSender } from "./unit.ts";

/** The result of the delivery of a unit. */
export type Delivery =
  | Delivered
  /** The signal aborted; the unit is not acknowledged. */
  | { readonly kind: "aborted" };

/** A unit that is acknowledged, perhaps after several attempts. */
export type Delivered = Omit<SendAcked, "found"> & { readonly storedBefore: StoredBefore };

/**
 * Sends the unit until it is acknowledged, without a limit on attempts or time; only the signal ends it earlier. If the
 * server rejects the unit as a whole (INVALID_ARGUMENT, or RESOURCE_EXHAUSTED without a delay), its halves are sent
 * instead, down to single frames. A single frame that is INVALID_ARGUMENT is given up and its readings count as
 * rejected, so one invalid frame never blocks the rest.
 */
export async function deliver(
  unit: Unit,
  {
    sender,
    clock,
    random,
    backoff,
    signal,
    onFailure,
  }: {
    sender: UnitSender;
    clock: Clock;
    random: Random;
    backoff: Backoff;
    signal: AbortSignal;
    /** Called after each failed attempt, counted from 0. */
    onFailure(failure: SendFailure, attempt: number): void;
  },
): Promise<Delivery> {
  return deliverPart(unit, false);

  /** `isAgain`: its readings were sent before, in a unit that was not acknowledged. */
  async function deliverPart(part: Unit, isAgain: boolean): Promise<Delivery> {
    for (let attempt = 0; !signal.aborted; attempt++) {
      const result = await sender.send(part, signal);
      if (result.kind === "acked") return delivered(result, isAgain || attempt > 0);
      if (signal.aborted) break;
      onFailure(result, attempt);
      if (refusesWhole(result)) {
        if (part.frames.length > 1) return deliverHalves(part);
        if (result.code === "INVALID_ARGUMENT") return delivered(givenUp(part, result), isAgain);
      }
      const delayMs = backoffDelayMs({ attempt, askedMs: result.retryDelayMs, backoff, random });
      await wait({ clock, delayMs, signal });
    }
    return { kind: "aborted" };
  }

  async function deliverHalves(part: Unit): Promise<Delivery> {
    const middle = part.frames.length >> 1;
    const first = await deliverPart(unitOf(part.frames.slice(0, middle)), true);
    if (first.kind === "aborted") return first;
    const second = await deliverPart(unitOf(part.frames.slice(middle)), true);
    if (second.kind === "aborted") return second;
    return {
      kind: "acked",
      accepted: first.accepted + second.accepted,
      refused: first.refused + second.refused,
      refusedReadings: [...first.refusedReadings, ...second.refusedReadings],
      storedBefore: sumOfStoredBefore(first.storedBefore, second.storedBefore),
    };
  }
}

/** Returns a unit of these frames. */
export function unitOf(frames: readonly Unit["frames"][number][]): Unit {
  return { frames, readings: frames.reduce((sum, frame) => sum + frame.readings, 0) };
}

function delivered({ found, ...acked }: SendAcked, isAgain: boolean): Delivered {
  return { ...acked, storedBefore: storedBeforeOf({ accepted: acked.accepted, found, isAgain }) };
}

function refusesWhole({ code, retryDelayMs }: SendFailure): boolean {
  return code === "INVALID_ARGUMENT" || (code === "RESOURCE_EXHAUSTED" && retryDelayMs === undefined);
}

function givenUp(part: Unit, failure: SendFailure): SendAcked {
  const refusal = {
    ordinal: 0n,
    identity: "",
    fieldPath: "",
    ruleId: failure.code,
    text: `a frame of ${part.readings} readings was rejected as a whole: ${failure.message}`,
  };
  return { kind: "acked", accepted: 0, refused: part.readings, refusedReadings: [refusal] };
}
