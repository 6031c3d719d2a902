/** One thing that has to be done before the mesh runs. */
export type Step = {
  /** As a person reads it: "Kafka". */
  readonly name: string;
  /** Names of the steps that must be done first. */
  readonly needs: readonly string[];
  /** Does it; `say` tells how far it is. Resolves with what to show when it is done: where it listens. */
  run(say: (progress: string) => void): Promise<string>;
};

/** What is shown of a step. */
export type StepView = { say(progress: string): void };

/** Shows steps; `show` is called once for each, at the start, and resolves or rejects with its step. */
export type StepList = {
  show(name: string, work: (view: StepView) => Promise<string>): void;
  /** Resolves when all that is shown has ended, whatever came of it. */
  end(): Promise<void>;
};

/**
 * Runs steps, each as soon as what it needs is done, and resolves when all are.
 * @throws Error if a step needs one that does not come before it: a mistake of ours;
 *   what the first step that failed threw; those that need it are not begun, those under way are waited for.
 */
export async function runSteps(steps: readonly Step[], list: StepList): Promise<void> {
  checkOrder(steps);
  const runs = new Map<string, Promise<string>>();
  let firstFailure: { readonly error: unknown } | undefined;

  function runOf({ name, needs, run }: Step, view: StepView): Promise<string> {
    return (async () => {
      const waits = needs.map((need) => runs.get(need));
      if (waits.length > 0) view.say(`waits for ${needs.join(", ")}`);
      try {
        await Promise.all(waits);
      } catch {
        throw new StepNotBegunError(name);
      }
      try {
        return await run((progress) => view.say(progress));
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

/** A step was not begun because one that it needs failed. */
export class StepNotBegunError extends Error {
  constructor(name: string) {
    super(`${name} was not started`);
    this.name = "StepNotBegunError";
  }
}
