import type { ChainNames } from "@devicemesh/pipeline";
import { defaultLevels, type Level, type Retention } from "@devicemesh/proto";

/** What a mesh is to be made of. */
export type MeshDefinition = {
  readonly names: ChainNames;
  /** Connection string of MongoDB for the sinks, or a reference to a file that the workers of Kafka Connect read it from. */
  readonly sinkMongodbUrl: string;
  /** Partitions of the topics of messages and windows. */
  readonly partitions: number;
  /** On how many brokers each partition is. */
  readonly replication: number;
  /** The levels of windows, the finest first. */
  readonly levels: readonly Level[];
  /** How long readings and windows are kept. */
  readonly retention: Retention;
  /** How long the log keeps messages, in ms. */
  readonly retainLogMs: number;
  /** How many tasks each sink may be split into. */
  readonly sinkTasks: number;
};

/**
 * The levels above a finest one: those of the default levels that are larger and whole multiples of the level
 * below them, in windows and in segments.
 */
export function levelsAbove(finest: Level): readonly Level[] {
  const levels = [finest];
  for (const level of defaultLevels.slice(1)) {
    const below = levels.at(-1)!;
    const fits =
      level.windowMs > below.windowMs &&
      level.windowMs % below.windowMs === 0 &&
      level.segmentMs % below.segmentMs === 0;
    if (fits) levels.push(level);
  }
  return levels;
}
