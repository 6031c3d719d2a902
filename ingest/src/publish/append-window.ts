import type { MessageBatch, MessageLog } from "../log/message-log.ts";
import type { ReadingCapacity } from "./reading-capacity.ts";

/** The appends of one commit unit. */
export type AppendWindow = {
  /**
   * Appends a batch. Returns nothing if the stream may go on at once, or a promise that resolves when it
   * may, and rejects with the signal's reason or the first append's error.
   */
  add(batch: MessageBatch): Promise<void> | undefined;
  /** Resolves when all is durable; rejects with the first append's error. */
  drained(): Promise<void>;
};

/** At most `appendsMax` appends in flight, and together with all other streams at most the room's readings. */
export function createAppendWindow({
  log,
  room,
  appendsMax,
  signal,
  onFailure,
}: {
  readonly log: MessageLog;
  readonly room: ReadingCapacity;
  readonly appendsMax: number;
  readonly signal: AbortSignal;
  /** Is called at the first append that fails, so that the stream need not go on. */
  readonly onFailure: () => void;
}): AppendWindow {
  let inFlight = 0;
  let failure: { readonly error: unknown } | undefined;
  let wake: (() => void) | undefined;

  async function append(batch: MessageBatch): Promise<void> {
    inFlight++;
    try {
      await log.append(batch);
    } catch (error) {
      if (failure === undefined) {
        failure = { error };
        onFailure();
      }
    }
    inFlight--;
    room.give(batch.length);
    wake?.();
  }

  async function untilInFlight(most: number): Promise<void> {
    while (inFlight > most && failure === undefined) {
      signal.throwIfAborted();
      const { promise, resolve } = Promise.withResolvers<void>();
      const goOn = () => resolve();
      wake = goOn;
      signal.addEventListener("abort", goOn, { once: true });
      await promise;
      signal.removeEventListener("abort", goOn);
    }
    if (failure !== undefined) throw failure.error;
  }

  async function addWhenThereIsRoom(entered: Promise<void>, batch: MessageBatch): Promise<void> {
    await entered;
    void append(batch);
    await untilInFlight(appendsMax - 1);
  }

  return {
    add(batch) {
      if (batch.length === 0) return undefined;
      const entered = room.take(batch.length, signal);
      if (entered !== undefined) return addWhenThereIsRoom(entered, batch);
      void append(batch);
      return inFlight < appendsMax && failure === undefined ? undefined : untilInFlight(appendsMax - 1);
    },
    drained: () => untilInFlight(0),
  };
}
