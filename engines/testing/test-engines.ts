import { inject } from "vitest";
import type { EngineName } from "../src/engine-names.ts";
import { secretsFolderOf } from "../src/plans/connect-plan.ts";
import { engineControl } from "../src/run/start-engines.ts";

/** What the global set-up of the engine tests tells each test file. */
export type ProvidedEngines = {
  /** host:port of each broker. */
  readonly kafkaBrokers: readonly string[];
  readonly connectUrl: string;
  readonly mongodbUrl: string;
  readonly sparkUrl: string;
  readonly folder: string;
  /** False where someone else started them: they cannot be killed. */
  readonly owned: boolean;
};

declare module "vitest" {
  interface ProvidedContext {
    /** Null where the engines cannot run: the set-up has said why. */
    devicemeshEngines: ProvidedEngines | null;
  }
}

/** The engines that all engine tests of a run share. */
export type TestEngines = {
  /** host:port of each broker. */
  readonly kafkaBrokers: readonly string[];
  /** How many brokers there are: the largest replication factor. */
  readonly brokers: number;
  readonly connectUrl: string;
  readonly mongodbUrl: string;
  /** host:port of Spark Connect. */
  readonly sparkUrl: string;
  /** A folder that the engines can write to as well, such as for checkpoints. Emptied by the next run. */
  readonly folder: string;
  /** The folder whose files Connect's settings may name; undefined where someone else started Connect. */
  readonly secretsFolder: string | undefined;
  /**
   * Kills an engine with SIGKILL and resolves when it is dead: `kafka-1` to `kafka-3`, `connect`, `mongo`, `spark`.
   * @throws Error if there is none of that name, or the test run did not start it.
   */
  kill(name: string): Promise<void>;
  /** Starts a killed engine again, on the same ports with the same data; resolves when it answers. */
  start(name: string): Promise<void>;
};

/** The engines of this test run, or undefined where they cannot run and their tests are to be skipped. */
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
