// Global set-up of the engine tests: all of them share one run of the engines.
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Engines, FolderInUseError, MissingToolsError, startEngines } from "@devicemesh/engines";
import type { ProvidedEngines } from "@devicemesh/engines/testing/test-engines";
import type { TestProject } from "vitest/node";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * Provides the engines for the engine tests: those of DEVICEMESH_TEST_* if all four are set, otherwise its own. If the
 * host lacks a tool, prints a notice and lets the tests be skipped; in CI that is a failure.
 */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = givenEngines(process.env);
  if (given) {
    project.provide("devicemeshEngines", given);
    return undefined;
  }
  try {
    return await ownEngines(project);
  } catch (error) {
    if (!(error instanceof MissingToolsError) || process.env.CI) throw error;
    console.log(`\nENGINE TESTS ARE SKIPPED: they need what this host lacks.\n${error.message}\n`);
    project.provide("devicemeshEngines", null);
    return undefined;
  }
}

/** Concurrent test runs have separate engines; more of them are too much for one machine. */
const folders = ["engines-test", "engines-test-2", "engines-test-3"].map((name) =>
  join(root, ".cache", name),
);

async function ownEngines(project: TestProject): Promise<() => Promise<void>> {
  const engines = await startInFreeFolder(folders);
  project.provide("devicemeshEngines", { ...engines.addresses, folder: engines.folder, owned: true });
  return async () => {
    const notReady = (await engines.status()).filter(({ state }) => state !== "ready");
    for (const { name, state, reason = "" } of notReady)
      console.log(`engines: ${name} is ${state} ${reason}`);
    console.log(`engines: stopping; their logs are in ${join(engines.folder, "logs")}`);
    await engines.stop();
  };
}

async function startInFreeFolder([folder, ...others]: readonly string[]): Promise<Engines> {
  const cache = process.env.DEVICEMESH_ENGINES_CACHE;
  try {
    return await startEngines({
      folder: folder!,
      parts: ["kafka:3", "connect", "mongo", "spark"],
      fresh: true,
      ...(cache ? { cache } : {}),
      onProgress: ({ engine, text }) => console.log(`engines: ${engine ? `${engine} ` : ""}${text}`),
    });
  } catch (error) {
    if (!(error instanceof FolderInUseError) || others.length === 0) throw error;
    return startInFreeFolder(others);
  }
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
    folder: join(tmpdir(), "devicemesh-engines-test"),
    owned: false,
  };
}
