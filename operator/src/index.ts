export { type CollectionDefinition, collectionDefinitions } from "./collection-definitions.ts";
export { type ConnectorDefinition, connectorDefinitions } from "./connector-definitions.ts";
export { MeshRefusedError } from "./difference.ts";
export { type IndexDefinition, indexDefinitions } from "./index-definitions.ts";
export { levelsAbove, type MeshDefinition } from "./mesh-definition.ts";
export type { EngineAddresses } from "./mesh-engines.ts";
export { type MeshOptions, meshDefinition, prepareMesh, removeMesh } from "./prepare-mesh.ts";
export { type TopicDefinition, topicDefinitions } from "./topic-definitions.ts";
