import { type ChainNames, chainNames, connectorGroup } from "@devicemesh/pipeline";
import { builtInSensors, type Retention } from "@devicemesh/proto";
import { applyParts, inspectMesh } from "../src/definition/inspect-mesh.ts";
import { deleteGroups, deleteTopics } from "../src/definition/kafka-topics.ts";
import { levelsAbove, type MeshDefinition } from "../src/definition/mesh-definition.ts";
import { type EngineAddresses, openEngines } from "../src/mesh-engines.ts";

/** The mesh to make, and its engines. */
export type MeshOptions = EngineAddresses & {
  /** Prefix of the names of topics, connectors and groups. */
  readonly prefix: string;
  readonly database: string;
  /** The connection string for the sinks; `mongodbUrl` by default. */
  readonly sinkMongodbUrl?: string;
  /** Number of partitions; 4 by default. */
  readonly partitions?: number;
  /** Number of replicas of each partition; 1 by default. */
  readonly replication?: number;
  /** The finest windows and segments; 10 s by default. */
  readonly windowMs?: number;
  readonly segmentMs?: number;
  /** Retention; unlimited by default. */
  readonly retention?: Retention;
};

/** Returns the definition of the mesh of these options. */
export function meshDefinition(options: MeshOptions): MeshDefinition {
  const { windowMs = 10_000, segmentMs = 10_000, partitions = 4, replication = 1 } = options;
  const levels = levelsAbove({ windowMs, segmentMs });
  return {
    names: chainNames({ prefix: options.prefix, database: options.database }),
    sinkMongodbUrl: options.sinkMongodbUrl ?? options.mongodbUrl,
    partitions,
    replication,
    levels,
    retention: options.retention ?? { rawMs: undefined, levelsMs: levels.map(() => undefined) },
    retainLogMs: 7 * 86_400_000,
    sinkTasks: 2,
    sensors: builtInSensors,
  };
}

/**
 * Makes the topics, collections, indexes, settings and connectors of a mesh, like the operator, without maintaining
 * them. Repeating it changes nothing. For tests and tools that need a mesh of their own.
 * @throws MeshRefusedError if another mesh exists there.
 */
export async function prepareMesh(options: MeshOptions): Promise<ChainNames> {
  const mesh = meshDefinition(options);
  await using engines = openEngines(options, options.database);
  await applyParts(await inspectMesh(engines, mesh));
  return mesh.names;
}

/** Removes the connectors, topics, groups and database of a mesh, and all its data. For tests. */
export async function removeMesh(options: MeshOptions): Promise<void> {
  const { names } = meshDefinition(options);
  await using engines = openEngines(options, options.database);
  for (const connector of Object.values(names.connectors)) {
    await engines.rest.remove(connector);
  }
  await deleteTopics(engines.withAdmin, Object.values(names.topics));
  await deleteGroups(engines.withAdmin, [
    names.deadLetterGroup,
    ...Object.values(names.connectors).map(connectorGroup),
  ]);
  await engines.db.dropDatabase();
}
