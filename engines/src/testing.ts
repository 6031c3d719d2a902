import { inject } from "vitest";

/** What the global set-up of the engine tests tells each test file. */
export type ProvidedEngines = {
  readonly kafkaBrokers: readonly string[];
  readonly connectUrl: string;
  readonly mongodbUrl: string;
  readonly sparkUrl: string;
  readonly folder: string;
  /** False where the engines were started by someone else: they cannot be killed. */
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
  /** A folder that the engines can write to as well, such as for checkpoints. */
  readonly folder: string;
  /**
   * Kills an engine with SIGKILL and resolves when it is dead: `kafka-1` to `kafka-3`, `connect`, `mongo`, `spark`.
   * @throws Error if there is none of that name, or it was not started by the test run.
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
  const notOwned = async (name: string): Promise<void> => {
    throw new Error(`${name} was not started by this test run${owned ? "" : ": unset DEVICEMESH_TEST_*"}`);
  };
  return { ...addresses, brokers: addresses.kafkaBrokers.length, kill: notOwned, start: notOwned };
}
