import type { Delivery } from "../deliver/delivery.ts";
import { type Sender, submitChecked } from "../deliver/submit-checked.ts";
import type { TopicMapping } from "../topics/topic-mapping.ts";
import type { TopicReadings } from "../topics/topic-message.ts";

/** The outcome of a message. */
export type StoredMessage =
  /** Each of its readings is durably stored; there may be none. */
  | { readonly kind: "stored"; readonly readings: number }
  /**
   * At least one broke a rule, the others are stored; `isForeign` if it is of a device that the sender may not send
   * for.
   */
  | { readonly kind: "rejected"; readonly isForeign: boolean; readonly text: string }
  /** The gateway is closing: the message may or may not be stored. */
  | { readonly kind: "closing" };

/** Stores the readings of a message, without a time limit. */
export type StoreMessage = (
  message: { readonly topic: string; readonly payload: Uint8Array },
  sender: Sender | undefined,
) => Promise<StoredMessage>;

/** Stores messages through the delivery. Calls `onRejected` for each message with a rejected reading. */
export function createStoreMessage({
  mapping,
  delivery,
  clock,
  isClosing,
  onRejected = () => {},
}: {
  readonly mapping: TopicMapping;
  readonly delivery: Delivery;
  /** Ms since 1970. */
  readonly clock: () => number;
  readonly isClosing: () => boolean;
  onRejected?(rejected: { readonly topic: string; readonly text: string }): void;
}): StoreMessage {
  function readingsOf(message: { readonly topic: string; readonly payload: Uint8Array }): TopicReadings {
    try {
      return mapping({ ...message, nowMs: clock() });
    } catch (error) {
      // A message that breaks its form must neither end the process nor be delivered again and again.
      const text = `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
      return { readings: [], rejected: [{ field: "", rule: "message.form", text }] };
    }
  }

  return async ({ topic, payload }, sender) => {
    const { readings, rejected } = readingsOf({ topic, payload });
    if (readings.length === 0 && rejected.length === 0) return { kind: "stored", readings: 0 };
    for (;;) {
      if (isClosing()) return { kind: "closing" };
      const outcome = await submitChecked(readings, { delivery, sender, nowMs: () => performance.now() });
      if (outcome.kind === "unavailable") {
        if (!(await delivery.capacity())) return { kind: "closing" };
        continue;
      }
      const all = [...rejected, ...outcome.rejected];
      const [first] = all;
      if (first === undefined) return { kind: "stored", readings: readings.length };
      const where = first.field === "" ? topic : `${topic}: ${first.field}`;
      const text = `${where}: ${first.text} (${first.rule})`;
      onRejected({ topic, text });
      return { kind: "rejected", text, isForeign: all.some(({ rule }) => rule === "device_id.identity") };
    }
  };
}
