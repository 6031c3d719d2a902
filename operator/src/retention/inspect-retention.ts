import { type Part, retentionMarks } from "../definition/difference.ts";
import type { MeshDefinition } from "../definition/mesh-definition.ts";
import type { MeshEngines } from "../mesh-engines.ts";
import { openRetentionTopic } from "./kafka-retention-topic.ts";
import { createMongoRetentionStore } from "./mongo-retention-store.ts";
import { acceptedSinceMs } from "./retention-keeper.ts";

/**
 * Finds out whether the mesh has retention marks. Where an older operator has deleted readings without marks, they are
 * concluded from what is left. Ingest is told first: so where there are marks, there is a record for ingest. Reads
 * only.
 */
export async function inspectRetention(
  { kafka, db }: Pick<MeshEngines, "kafka" | "db">,
  { names, levels }: MeshDefinition,
  signal?: AbortSignal,
): Promise<Part> {
  const store = createMongoRetentionStore({ db, levels, clock: Date.now });
  const marks = await store.readMarks(signal);
  return {
    what: retentionMarks,
    difference: { kind: marks ? "same" : "create" },
    async apply() {
      const concluded = await store.concludeMarks();
      await using topic = openRetentionTopic({ kafka, topic: names.topics.retention });
      await topic.announce(acceptedSinceMs(concluded));
      await store.raiseMarks(concluded);
    },
  };
}
