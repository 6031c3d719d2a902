import { type DeadLetterKind, windowId } from "@devicemesh/pipeline";
import { alignDown } from "@devicemesh/proto";
import { type DeadLetter, identityOfMessage, identityOfPartial } from "./dead-letter.ts";

/** A window of a series whose partials do not tell the truth, and when what makes them lie arrived. */
export type RepeatMark = {
  readonly id: string;
  readonly deviceId: string;
  readonly sensor: string;
  readonly windowMs: number;
  readonly firstRepeatMs: number;
  readonly lastRepeatMs: number;
};

/**
 * The window that a refused message makes dirty. The window job may have counted what the raw store refused, so
 * whatever is refused marks its window, but for the stored reading itself, delivered again. Undefined if there is
 * nothing to mark, or nothing that tells where.
 */
export function markOfMessage(
  letter: DeadLetter,
  kind: DeadLetterKind,
  windowSizeMs: number,
): RepeatMark | undefined {
  const identity = kind === "redelivery" ? undefined : identityOfMessage(letter);
  if (!identity) return undefined;
  const { deviceId, sensor, timestampMs } = identity;
  const windowMs = alignDown(timestampMs, windowSizeMs);
  return mark({ deviceId, sensor, windowMs, arrivedMs: letter.arrivedMs });
}

/**
 * The window that a refused partial leaves incomplete. What it should have added up arrived within its segment, so
 * that is when the window stopped being true: it is answered from raw readings, and can be repaired from them.
 */
export function markOfPartial(letter: DeadLetter): RepeatMark | undefined {
  const identity = identityOfPartial(letter);
  if (!identity) return undefined;
  const { deviceId, sensor, windowMs, segmentMs } = identity;
  return mark({ deviceId, sensor, windowMs, arrivedMs: segmentMs });
}

/** One mark for each window: from the first repeat to the last. */
export function mergeMarks(marks: readonly RepeatMark[]): readonly RepeatMark[] {
  const byWindow = new Map<string, RepeatMark>();
  for (const next of marks) {
    const known = byWindow.get(next.id);
    byWindow.set(
      next.id,
      known
        ? {
            ...known,
            firstRepeatMs: Math.min(known.firstRepeatMs, next.firstRepeatMs),
            lastRepeatMs: Math.max(known.lastRepeatMs, next.lastRepeatMs),
          }
        : next,
    );
  }
  return [...byWindow.values()];
}

function mark(window: {
  readonly deviceId: string;
  readonly sensor: string;
  readonly windowMs: number;
  readonly arrivedMs: number;
}): RepeatMark {
  const { deviceId, sensor, windowMs, arrivedMs } = window;
  return {
    id: windowId({ deviceId, sensor, windowMs }),
    deviceId,
    sensor,
    windowMs,
    firstRepeatMs: arrivedMs,
    lastRepeatMs: arrivedMs,
  };
}
