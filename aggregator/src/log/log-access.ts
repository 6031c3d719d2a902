import type { LogPlaces } from "../levels/frontier.ts";
import type { Tick } from "./ticks.ts";

/** Offsets by partition of one topic. */
export type PartitionOffsets = ReadonlyMap<number, number>;

/** Appends ticks to the messages topic. */
export type TickLog = AsyncDisposable & {
  /**
   * Appends a tick to every partition. Never rejects: `lost` names the partitions whose tick was not
   * acknowledged, with the last reason; such a tick may have been appended all the same.
   */
  appendRound(): Promise<{
    readonly ticks: readonly Tick[];
    readonly lost: readonly number[];
    readonly error?: unknown;
  }>;
};

/** What consumers have read of the log, and how far it goes. Each method rejects when the log is away. */
export type LogOffsets = AsyncDisposable & {
  /** The committed offsets of the sink of messages. */
  committedMessages(): Promise<PartitionOffsets>;
  /** The ends of the messages topic. */
  messageEnds(): Promise<PartitionOffsets>;
  /** The ends of the topics of partials and of dead letters. */
  ends(): Promise<LogPlaces>;
  /** The committed offsets of those who read them: the sink of windows, the reader of dead letters. */
  committed(): Promise<LogPlaces>;
  /**
   * Where in each partition of the messages topic that begins which was appended at or after `ms`; the end
   * where nothing was. With 0, the first record that is still there.
   */
  messageOffsetsAt(ms: number): Promise<PartitionOffsets>;
};

/** The same, told how each question ends. */
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
