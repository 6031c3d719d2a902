// Global set-up of the engine tests: the engines run once for all of them.
import { tmpdir } from "node:os";
import type { ProvidedEngines } from "@devicemesh/engines/testing";
import type { TestProject } from "vitest/node";

/** Gives the engine tests their engines: those of DEVICEMESH_TEST_* if all four are set. */
export default async function setup(project: TestProject): Promise<void> {
  project.provide("devicemeshEngines", givenEngines(process.env) ?? null);
}

function givenEngines(env: NodeJS.ProcessEnv): ProvidedEngines | undefined {
  const brokers = env.DEVICEMESH_TEST_KAFKA_BROKERS;
  const connectUrl = env.DEVICEMESH_TEST_CONNECT_URL;
  const mongodbUrl = env.DEVICEMESH_TEST_MONGODB_URL;
  const sparkUrl = env.DEVICEMESH_TEST_SPARK_URL;
  if (!brokers || !connectUrl || !mongodbUrl || !sparkUrl) return undefined;
  return {
    kafkaBrokers: brokers.split(","),
    connectUrl,
    mongodbUrl,
    sparkUrl,
    folder: tmpdir(),
    owned: false,
  };
}
