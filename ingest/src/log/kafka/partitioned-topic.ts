/** A topic of a log as `createPartitionedMessageLog` uses it. */
export type PartitionedTopic = {
  /**
   * Asks the log for the topic's state.
   * @throws RpcError UNAVAILABLE, with a text for callers and the cause, if the log cannot be asked or has no such topic.
   */
  describe(): Promise<TopicState>;
  /**
   * Asks the log for a producer that nobody has used.
   * @throws RpcError UNAVAILABLE if there is no answer.
   */
  openProducer(): Promise<{ readonly id: bigint; readonly epoch: number }>;
  /**
   * Appends a record batch to a partition. Resolves with "appended" only if the log has all of it, durably; sent again
   * by the same producer, it is there once. Resolves with "producer lost" if the log does not know the producer's last
   * batch any more: then a new producer has to send it. One call for a partition at a time.
   * @throws RpcError UNAVAILABLE if it is not known whether the log has it.
   */
  send(partition: number, batch: Buffer): Promise<"appended" | "producer lost">;
  /** Closes its connections; sends under way reject. Closing twice is the same as once. */
  close(): Promise<void>;
};

/** What is known of a topic. */
export type TopicState = {
  readonly partitions: number;
  /** Partitions that cannot be appended to at the moment. */
  readonly leaderless: readonly number[];
};
