import type { LogPlaces } from "../levels/frontier.ts";
import type { Tick } from "./ticks.ts";

/** Offsets by partition of one topic. */
export type PartitionOffsets = ReadonlyMap<number, number>;

/** Appends ticks to the messages topic. */
export type TickLog = AsyncDisposable & {
  /**
   * Appends a tick to every partition. Never rejects: `lost` names the partitions whose tick was not acknowledged, with
   * the last reason; such a tick may have been appended all the same.
   */
  appendRound(): Promise<{
    readonly ticks: readonly Tick[];
    readonly lost: readonly number[];
    readonly error?: unknown;
  }>;
};

/** The progress of consumers in the log, and its ends. Each method rejects when the log is unavailable. */
export type LogOffsets = AsyncDisposable & {
  /** Returns the committed offsets of the sink of messages. */
  committedMessages(): Promise<PartitionOffsets>;
  /** Returns the ends of the messages topic. */
  messageEnds(): Promise<PartitionOffsets>;
  /** Returns the ends of the topics of partials and of dead letters. */
  ends(): Promise<LogPlaces>;
  /** Returns the committed offsets of their readers: the sink of windows and the reader of dead letters. */
  committed(): Promise<LogPlaces>;
  /**
   * Returns the first offset in each partition of the messages topic that was appended at or after `ms`; the end if
   * there is none. With 0, the first existing record.
   */
  messageOffsetsAt(ms: number): Promise<PartitionOffsets>;
};

/** The same, with a callback for the result of each request. */
export function observedOffsets(
  offsets: LogOffsets,
  { onSuccess, onFailure }: { readonly onSuccess: () => void; readonly onFailure: (error: unknown) => void },
): LogOffsets {
  function observed<Arguments extends readonly unknown[], Result>(
    ask: (...given: Arguments) => Promise<Result>,
  ): (...given: Arguments) => Promise<Result> {
    return async (...given) => {
      try {
        const result = await ask(...given);
        onSuccess();
        return result;
      } catch (error) {
        onFailure(error);
        throw error;
      }
    };
  }
  return {
    committedMessages: observed(offsets.committedMessages),
    messageEnds: observed(offsets.messageEnds),
    ends: observed(offsets.ends),
    committed: observed(offsets.committed),
    messageOffsetsAt: observed(offsets.messageOffsetsAt),
    [Symbol.asyncDispose]: () => offsets[Symbol.asyncDispose](),
  };
}
