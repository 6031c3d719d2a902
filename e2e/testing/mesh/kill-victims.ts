import type { Harm } from "./harm-under-load.ts";
import type { RealMesh } from "./real-mesh.ts";

/** Each kind of process of a mesh, and how to kill it; the test restarts engines, the mesh restarts services. */
export const killVictims: readonly Harm[] = [
  ...(["envoy", "ingest", "query", "aggregator", "operator"] as const).map((name) => ({
    name,
    harm: (mesh: RealMesh) => mesh.services.get(name).kill(),
  })),
  { name: "one broker of three", harm: (mesh) => killed(mesh, "kafka-2") },
  { name: "the Connect worker", harm: (mesh) => killed(mesh, "connect") },
  { name: "the database", harm: (mesh) => killed(mesh, "mongo") },
  { name: "the Spark driver", harm: (mesh) => killed(mesh, "spark") },
];

async function killed({ engines }: RealMesh, engine: string): Promise<void> {
  await engines.kill(engine);
  await engines.start(engine);
}
