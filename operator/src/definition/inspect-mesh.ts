import { connectorDefinitions } from "../connectors/connector-definitions.ts";
import { inspectConnectors } from "../connectors/connectors.ts";
import type { MeshEngines } from "../mesh-engines.ts";
import { inspectRetention } from "../retention/inspect-retention.ts";
import { collectionDefinitions } from "./collection-definitions.ts";
import { MeshRefusedError, type Part } from "./difference.ts";
import { indexDefinitions } from "./index-definitions.ts";
import { inspectTopics } from "./kafka-topics.ts";
import type { MeshDefinition } from "./mesh-definition.ts";
import { inspectCollections } from "./mongo-collections.ts";
import { inspectIndexes } from "./mongo-indexes.ts";
import { inspectSensorUnits } from "./mongo-sensor-units.ts";
import { inspectSettings } from "./mongo-settings-document.ts";
import { topicDefinitions } from "./topic-definitions.ts";

/**
 * Compares every part of a mesh with its desired state, in the order in which parts must be created: a sink without its
 * indexes and topics would do harm, retention marks are derived from the settings before these change, and the units of
 * sensors are a field of the settings. Reads only; rejects with the reason of the signal when it aborts.
 */
export async function inspectMesh(
  engines: MeshEngines,
  mesh: MeshDefinition,
  signal?: AbortSignal,
): Promise<readonly Part[]> {
  const { withAdmin, db, rest } = engines;
  const [topics, collections, indexes, retention, settings, units, connectors] = await Promise.all([
    inspectTopics(withAdmin, topicDefinitions(mesh), signal),
    inspectCollections(db, collectionDefinitions(mesh), signal),
    inspectIndexes(db, indexDefinitions(mesh), signal),
    inspectRetention(engines, mesh, signal),
    inspectSettings(db, mesh, signal),
    inspectSensorUnits(db, mesh.sensors, signal),
    inspectConnectors(rest, connectorDefinitions(mesh), signal),
  ]);
  return [...topics, ...collections, ...indexes, retention, settings, units, ...connectors];
}

/**
 * Brings the parts into their desired state, one after the other. Safe to repeat: a part that is done is found
 * unchanged.
 * @throws MeshRefusedError, before anything is changed, if existing data prevents a change.
 */
export async function applyParts(
  parts: readonly Part[],
  onApplied: (part: Part) => void = () => {},
): Promise<void> {
  const refusals = parts.flatMap(({ what, difference }) =>
    difference.kind === "refused" ? [`${what}: ${difference.text}`] : [],
  );
  if (refusals.length > 0) throw new MeshRefusedError(refusals);
  for (const part of parts) {
    if (part.difference.kind !== "create" && part.difference.kind !== "change") continue;
    await part.apply();
    onApplied(part);
  }
}
