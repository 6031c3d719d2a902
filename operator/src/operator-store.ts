import type { OperatorStatusDocument } from "@devicemesh/chain";

/** What upkeep needs of the database. Both reject when it is away. */
export type OperatorStore = {
  writeStatus(status: OperatorStatusDocument): Promise<void>;
  /** How many refused records of a topic are known to be invalid, of at most 1000. */
  countInvalid(topic: string): Promise<number>;
};
