/** A topic of a log, for `createPartitionedMessageLog`. */
export type PartitionedTopic = {
  /**
   * Reads the topic's state.
   * @throws RpcError UNAVAILABLE, with a text for callers and the cause, if the log is unreachable or has no such
   * topic.
   */
  describe(): Promise<TopicState>;
  /**
   * Requests a new producer from the log.
   * @throws RpcError UNAVAILABLE if there is no response.
   */
  openProducer(): Promise<{ readonly id: bigint; readonly epoch: number }>;
  /**
   * Appends a record batch to a partition. Resolves with "appended" only if the log has all of it, durably; sent again
   * by the same producer, it is stored once. Resolves with "producer lost" if the log does not know the producer's last
   * batch any more: then a new producer must send it. One call for a partition at a time. It does not read the
   * batch after it has resolved, but it may after it has rejected.
   * @throws RpcError UNAVAILABLE if it is unknown whether the log has it.
   */
  send(partition: number, batch: Buffer): Promise<"appended" | "producer lost">;
  /** Closes its connections; sends in progress reject. Closing again has no effect. */
  close(): Promise<void>;
};

/** The state of a topic. */
export type TopicState = {
  readonly partitions: number;
  /** Partitions that cannot be appended to at the moment. */
  readonly leaderless: readonly number[];
};
