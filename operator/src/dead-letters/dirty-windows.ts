import { type DeadLetterKind, windowId } from "@devicemesh/pipeline";
import { alignDown } from "@devicemesh/proto";
import { type DeadLetter, identityOfMessage, identityOfPartial } from "./dead-letter.ts";

/** A window of a series whose partials are wrong, and the arrival of the records that make them wrong. */
export type DuplicateMark = {
  readonly id: string;
  readonly deviceId: string;
  readonly sensor: string;
  readonly windowMs: number;
  readonly firstDuplicateMs: number;
  readonly lastDuplicateMs: number;
};

/**
 * Returns the window that a rejected message makes dirty. The window job may have counted a message that the raw store
 * rejected, so every rejected message marks its window, except a redelivery of the stored reading itself. Returns
 * undefined if there is nothing to mark, or the record does not identify its window.
 */
export function markOfMessage(
  letter: DeadLetter,
  kind: DeadLetterKind,
  windowSizeMs: number,
): DuplicateMark | undefined {
  const identity = kind === "redelivery" ? undefined : identityOfMessage(letter);
  if (!identity) return undefined;
  const { deviceId, sensor, timestampMs } = identity;
  const windowMs = alignDown(timestampMs, windowSizeMs);
  return mark({ deviceId, sensor, windowMs, arrivedMs: letter.arrivedMs });
}

/**
 * Returns the window that a rejected partial leaves incomplete. Its readings arrived within its segment, so the window
 * has been incomplete since then: it is answered from raw readings, and can be repaired from them.
 */
export function markOfPartial(letter: DeadLetter): DuplicateMark | undefined {
  const identity = identityOfPartial(letter);
  if (!identity) return undefined;
  const { deviceId, sensor, windowMs, segmentMs } = identity;
  return mark({ deviceId, sensor, windowMs, arrivedMs: segmentMs });
}

/** Merges the marks of each window into one: from the first duplicate to the last. */
export function mergeMarks(marks: readonly DuplicateMark[]): readonly DuplicateMark[] {
  const byWindow = new Map<string, DuplicateMark>();
  for (const next of marks) {
    const known = byWindow.get(next.id);
    byWindow.set(
      next.id,
      known
        ? {
            ...known,
            firstDuplicateMs: Math.min(known.firstDuplicateMs, next.firstDuplicateMs),
            lastDuplicateMs: Math.max(known.lastDuplicateMs, next.lastDuplicateMs),
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
}): DuplicateMark {
  const { deviceId, sensor, windowMs, arrivedMs } = window;
  return {
    id: windowId({ deviceId, sensor, windowMs }),
    deviceId,
    sensor,
    windowMs,
    firstDuplicateMs: arrivedMs,
    lastDuplicateMs: arrivedMs,
  };
}
