/** One step of the start of the mesh. */
export type Step = {
  /** The name for users: "Kafka". */
  readonly name: string;
  /** Names of the steps that must be done first. */
  readonly needs: readonly string[];
  /** Runs the step; `report` reports progress. Resolves with the result to show: the address where it listens. */
  run(report: (progress: string) => void): Promise<string>;
};

/** The displayed state of a step. */
export type StepView = { report(progress: string): void };

/** Shows steps; `show` is called once for each at the start, and resolves or rejects with its step. */
export type StepList = {
  show(name: string, work: (view: StepView) => Promise<string>): void;
  /** Resolves when all displayed steps have ended, successfully or not. */
  end(): Promise<void>;
};

/**
 * Runs steps, each as soon as its dependencies are done, and resolves when all are.
 * @throws Error if a step depends on a later one, which is a bug;
 * the error of the first failed step; steps that depend on it are not started, and running ones are awaited.
 */
export async function runSteps(steps: readonly Step[], list: StepList): Promise<void> {
  checkOrder(steps);
  const runs = new Map<string, Promise<string>>();
  let firstFailure: { readonly error: unknown } | undefined;

  function runOf({ name, needs, run }: Step, view: StepView): Promise<string> {
    return (async () => {
      const waits = needs.map((need) => runs.get(need));
      if (waits.length > 0) view.report(`waits for ${needs.join(", ")}`);
      try {
        await Promise.all(waits);
      } catch {
        throw new StepNotBegunError(name);
      }
      try {
        return await run((progress) => view.report(progress));
      } catch (error) {
        firstFailure ??= { error };
        throw error;
      }
    })();
  }

  for (const step of steps) {
    list.show(step.name, (view) => {
      const run = runOf(step, view);
      run.catch(() => {});
      runs.set(step.name, run);
      return run;
    });
  }
  await list.end();
  await Promise.allSettled(runs.values());
  if (firstFailure) throw firstFailure.error;
}

function checkOrder(steps: readonly Step[]): void {
  const known = new Set<string>();
  for (const { name, needs } of steps) {
    const missing = needs.find((need) => !known.has(need));
    if (missing !== undefined)
      throw new Error(`step ${name} needs ${missing}, which does not come before it`);
    known.add(name);
  }
}

/** A step was not started because one of its dependencies failed. */
export class StepNotBegunError extends Error {
  constructor(name: string) {
    super(`${name} was not started`);
    this.name = "StepNotBegunError";
  }
}
