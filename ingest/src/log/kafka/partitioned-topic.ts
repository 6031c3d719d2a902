import type { MessageRecord } from "../message-records.ts";

/** A topic of a log as `createPartitionedMessageLog` uses it. */
export type PartitionedTopic = {
  /**
   * Asks the log for the topic's state.
   * @throws RpcError UNAVAILABLE, with a text for callers and the cause, if the log cannot be asked or has no such topic.
   */
  describe(): Promise<TopicState>;
  /**
   * Appends the records to a partition, in order. Resolves only if the log has every one of them, durably; what
   * is sent again is there twice, and readers discard duplicates. One call for a partition at a time.
   * @throws RpcError UNAVAILABLE if that is not known.
   */
  send(partition: number, records: readonly MessageRecord[]): Promise<void>;
  /** Closes its connections; sends under way reject. Closing twice is the same as once. */
  close(): Promise<void>;
};

/** What is known of a topic. */
export type TopicState = {
  readonly partitions: number;
  /** Partitions that cannot be appended to at the moment. */
  readonly leaderless: readonly number[];
};
