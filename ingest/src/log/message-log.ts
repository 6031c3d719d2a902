import type { SensorSpec } from "@devicemesh/proto";

/**
 * Messages in columns, so that the hot path allocates no object for a reading. Row i is (deviceIds[i],
 * sensors[sensorCodes[i]], timestampsMs[i], values[i]); columns may be longer than `length`.
 */
export type MessageBatch = {
  readonly length: number;
  readonly deviceIds: readonly string[];
  /** The sensors by code: those of ingest's catalog, which may grow. */
  readonly sensors: readonly SensorSpec[];
  readonly sensorCodes: Uint16Array;
  /** The devices' clocks: whole milliseconds since 1970. */
  readonly timestampsMs: Float64Array;
  readonly values: Float64Array;
};

/** What a log found among the messages of an append. */
export type Appended = {
  /** Messages that were stored before with the same value, by an earlier append or earlier in this one. */
  readonly duplicates: number;
  /** Messages of an identity that was stored before with another value, which stays. */
  readonly conflicts: number;
};

/** Where accepted messages go. Ingest acknowledges a reading only after the log has. */
export type MessageLog = {
  /**
   * Appends the messages in order and resolves when every one of them is durable: it survives the death
   * of any one process. Duplicates are allowed; readers of the log distinguish them by identity. The
   * batch must not be changed until then, and the log must not read it afterwards. Callers may append concurrently, and bound what they append: the log
   * accepts every append, in order.
   * @returns how many of them were stored before; undefined if the log does not know that yet.
   * @throws RpcError UNAVAILABLE if the log cannot be reached or is closed; then nothing is promised
   *   about the batch: some of it may have been appended.
   */
  append(batch: MessageBatch): Promise<Appended | undefined>;
};
