import {
  type EngineName,
  type EnginePart,
  type Engines,
  type EnginesOptions,
  type EnginesProgress,
  startEngines,
} from "@devicemesh/engines";
import type { Step } from "../steps.ts";

/** The engines that a mesh runs on. */
export type EngineShape = {
  readonly brokers: 1 | 3;
  readonly spark: "local" | "cluster";
  /** False if the user's own MongoDB is used. */
  readonly mongo: boolean;
};

/** Returns the parts that the launcher starts for a shape. */
export function partsOf({ brokers, spark, mongo }: EngineShape): readonly EnginePart[] {
  return [
    brokers === 3 ? "kafka:3" : "kafka",
    ...(mongo ? (["mongo"] as const) : []),
    "connect",
    spark === "cluster" ? "spark:cluster" : "spark",
  ];
}

/** Lists the engines of a shape, for users. */
function namesOf({ brokers, spark, mongo }: EngineShape): readonly EngineName[] {
  return [
    "kafka-1",
    ...(brokers === 3 ? (["kafka-2", "kafka-3"] as const) : []),
    ...(mongo ? (["mongo"] as const) : []),
    "connect",
    ...(spark === "cluster" ? (["spark-master", "spark-worker-1", "spark-worker-2"] as const) : []),
    "spark",
  ];
}

/** The name of the step that installs the engines. */
const installStep = "engines";

/** The start of the engines of a mesh, and the steps that display it. */
export type EngineStart = {
  /** One step for the installation, and one for each engine. The first one triggers the start. */
  readonly steps: readonly Step[];
  /** Rejects if any engine does not become ready: then all are stopped. */
  readonly engines: Promise<Engines>;
};

/** Plans the start of the engines of a shape, after the named steps. */
export function planEngineStart(
  needs: readonly string[],
  shape: EngineShape,
  options: Omit<EnginesOptions, "parts" | "onProgress">,
): EngineStart {
  const names = namesOf(shape);
  const ready = new Map(names.map((name) => [name, Promise.withResolvers<string>()]));
  const begun = Promise.withResolvers<string>();
  const started = Promise.withResolvers<Engines>();
  const views = new Map<string, (progress: string) => void>();
  for (const { promise } of [started, begun, ...ready.values()]) promise.catch(() => {});

  function show({ engine, text, ready: isReady }: EnginesProgress): void {
    if (engine === undefined) {
      views.get(installStep)?.(text);
      return;
    }
    begun.resolve("installed");
    if (isReady) ready.get(engine)?.resolve(text);
    else views.get(engine)?.(text);
  }
  const start = async (): Promise<void> => {
    try {
      started.resolve(await startEngines({ ...options, parts: partsOf(shape), onProgress: show }));
    } catch (error) {
      for (const { reject } of [started, begun, ...ready.values()]) reject(error);
    }
  };

  const steps: Step[] = [
    {
      name: installStep,
      needs,
      run(report) {
        views.set(installStep, report);
        void start();
        return begun.promise;
      },
    },
    ...names.map(
      (name): Step => ({
        name,
        needs: [installStep],
        run(report) {
          views.set(name, report);
          return (ready.get(name) as PromiseWithResolvers<string>).promise;
        },
      }),
    ),
  ];
  return { steps, engines: started.promise };
}
