import type { OperatorStatusDocument } from "@devicemesh/pipeline";

/** What maintenance needs of the database. Both reject when it is unavailable, within some seconds. */
export type OperatorStore = {
  writeStatus(status: OperatorStatusDocument): Promise<void>;
  /** How many refused records of a topic are known to be invalid, of at most 1000. */
  countInvalid(topic: string, signal?: AbortSignal): Promise<number>;
};
