import type { OperatorStatusDocument } from "@devicemesh/pipeline";

/** The part of the database that maintenance uses. The functions reject within seconds if it is unavailable. */
export type OperatorStore = {
  writeStatus(status: OperatorStatusDocument): Promise<void>;
  /** Returns the number of rejected records of a topic that are invalid, at most 1000. */
  countInvalid(topic: string, signal?: AbortSignal): Promise<number>;
  /** Returns the number of those that the sink could not write because the disk was full, at most 1000. */
  countWithoutSpace(topic: string, signal?: AbortSignal): Promise<number>;
};
