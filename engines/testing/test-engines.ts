import { inject } from "vitest";
import type { EngineName } from "../src/engine-names.ts";
import { secretsFolderOf } from "../src/plans/connect-plan.ts";
import { engineControl } from "../src/run/start-engines.ts";

/** The addresses that the global set-up of the engine tests provides to each test file. */
export type ProvidedEngines = {
  /** host:port of each broker. */
  readonly kafkaBrokers: readonly string[];
  readonly connectUrl: string;
  readonly mongodbUrl: string;
  readonly sparkUrl: string;
  readonly folder: string;
  /** False if another process started them: then the tests cannot kill them. */
  readonly owned: boolean;
};

declare module "vitest" {
  interface ProvidedContext {
    /** Null if the engines cannot run: the set-up has printed why. */
    devicemeshEngines: ProvidedEngines | null;
  }
}

/** The engines that all engine tests of a run share. */
export type TestEngines = {
  /** host:port of each broker. */
  readonly kafkaBrokers: readonly string[];
  /** Number of brokers, which is the largest replication factor. */
  readonly brokers: number;
  readonly connectUrl: string;
  readonly mongodbUrl: string;
  /** host:port of Spark Connect. */
  readonly sparkUrl: string;
  /** A folder that the engines can write to too, for example for checkpoints. The next run empties it. */
  readonly folder: string;
  /** The folder whose files Connect's settings may name; undefined if another process started Connect. */
  readonly secretsFolder: string | undefined;
  /**
   * Kills an engine with SIGKILL and resolves when it is dead: `kafka-1` to `kafka-3`, `connect`, `mongo`, `spark`.
   * @throws Error if there is none of that name, or the test run did not start it.
   */
  kill(name: string): Promise<void>;
  /** Starts a killed engine again, on the same ports with the same data; resolves when it answers. */
  start(name: string): Promise<void>;
};

/** Returns the engines of this test run, or undefined if they cannot run and their tests must be skipped. */
export async function testEngines(): Promise<TestEngines | undefined> {
  const provided = inject("devicemeshEngines");
  if (!provided) return undefined;
  const { owned, ...addresses } = provided;
  const control = engineControl(addresses.folder);
  const assertOwned = (): void => {
    if (!owned) throw new Error("this test run did not start the engines: unset DEVICEMESH_TEST_*");
  };
  return {
    ...addresses,
    secretsFolder: owned ? secretsFolderOf(addresses.folder) : undefined,
    brokers: addresses.kafkaBrokers.length,
    async kill(name) {
      assertOwned();
      await control.kill(name as EngineName);
    },
    async start(name) {
      assertOwned();
      await control.start(name as EngineName);
    },
  };
}
