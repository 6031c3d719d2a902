import { rmSync } from "node:fs";
import { join } from "node:path";
import { startEngines } from "@devicemesh/engines";

/** The engines of a whole mesh; disposing stops them. */
export type BenchEngines = Awaited<ReturnType<typeof startEngines>>;

/**
 * Starts Kafka, Kafka Connect, MongoDB and Spark without data, and removes logs and checkpoints of an earlier run.
 * @throws the error of an engine that does not start.
 */
export async function startBenchEngines(options: {
  /** Of the engines, the logs of services and the checkpoints. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly onProgress?: NonNullable<Parameters<typeof startEngines>[0]["onProgress"]>;
}): Promise<BenchEngines> {
  const { folder, ...rest } = options;
  const engines = await startEngines({
    ...rest,
    folder: join(folder, "engines"),
    fresh: true,
    parts: ["kafka", "connect", "mongo", "spark"],
  });
  for (const kept of ["logs", "checkpoints"]) rmSync(join(folder, kept), { recursive: true, force: true });
  return engines;
}
