import type { Level } from "@devicemesh/proto";
import type { Db } from "mongodb";
import { createMongoLateAppendMarks } from "../late-appends/mongo-late-append-marks.ts";
import { createMongoFrontier } from "../levels/mongo-frontier.ts";
import { createMongoLevels } from "../levels/mongo-levels.ts";
import { createMongoRepairs } from "../repairs/mongo-repairs.ts";
import type { AggregatorStore } from "./aggregator-store.ts";
import { createMongoStatus } from "./mongo-status.ts";

/** The aggregator's store in MongoDB, for a mesh with these levels (the finest first). */
export function createMongoStore(options: {
  readonly db: Db;
  readonly levels: readonly Level[];
  /** Ms since 1970. */
  readonly clock: () => number;
  /** Called if partials remain without sketches, because the database cannot add them; ignored by default. */
  readonly onUnable?: (error: unknown) => void;
}): AggregatorStore {
  const { db, levels, clock, onUnable } = options;
  const [finest] = levels;
  if (!finest) throw new RangeError("a mesh has at least one level");
  const frontier = createMongoFrontier({ db, clock });
  return {
    ...frontier,
    ...createMongoLevels({
      db,
      levels,
      rawKeptSinceMs: frontier.readRawKeptSince,
      ...(onUnable && { onUnable }),
    }),
    ...createMongoRepairs({ db, windowMs: finest.windowMs, clock }),
    ...createMongoLateAppendMarks(db),
    ...createMongoStatus(db),
  };
}
