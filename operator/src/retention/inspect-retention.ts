import { type Part, retentionMarks } from "../definition/difference.ts";
import type { MeshDefinition } from "../definition/mesh-definition.ts";
import { readSensorUnits } from "../definition/mongo-sensor-units.ts";
import type { MeshEngines } from "../mesh-engines.ts";
import { openRetentionTopic } from "./kafka-retention-topic.ts";
import { createMongoRetentionStore } from "./mongo-retention-store.ts";
import { acceptedSinceMs } from "./retention-keeper.ts";

/**
 * Checks whether the mesh has retention marks. If an older operator deleted readings without marks, they are derived
 * from the remaining data. They are announced to ingest first, so that existing marks imply a record for ingest. Reads
 * only.
 */
export async function inspectRetention(
  { kafka, db }: Pick<MeshEngines, "kafka" | "db">,
  { names, levels, sensors }: MeshDefinition,
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
      const sensorUnits =
        (await readSensorUnits(db)) ?? sensors.map(({ sensor, unit }) => ({ sensor, unit }));
      await topic.announce({ acceptedSinceMs: acceptedSinceMs(concluded), sensorUnits });
      await store.raiseMarks(concluded);
    },
  };
}
