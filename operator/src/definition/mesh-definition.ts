import type { ChainNames } from "@devicemesh/pipeline";
import { defaultLevels, type Level, type Retention, type SensorSpec } from "@devicemesh/proto";

/** The definition of a mesh. */
export type MeshDefinition = {
  readonly names: ChainNames;
  /**
   * Connection string of MongoDB for the sinks, or a reference to a file that the workers of Kafka Connect read it
   * from.
   */
  readonly sinkMongodbUrl: string;
  /** Partitions of the topics of messages and windows. */
  readonly partitions: number;
  /** Number of replicas of each partition. */
  readonly replication: number;
  /** The levels of windows, the finest first. */
  readonly levels: readonly Level[];
  /** Retention of readings and windows. */
  readonly retention: Retention;
  /** Retention of messages in the log, in ms. */
  readonly retainLogMs: number;
  /** Maximum number of tasks of each sink. */
  readonly sinkTasks: number;
  /** The sensors of the catalog. */
  readonly sensors: readonly Pick<SensorSpec, "sensor" | "unit">[];
};

/**
 * Returns the levels above a finest one: the default levels that are larger, in windows and in segments, and whole
 * multiples of the next finer level.
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
