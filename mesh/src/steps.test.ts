import { describe, expect, it } from "vitest";
import { runSteps, type Step, type StepList } from "./steps.ts";

/** A list that records the texts of each step. */
function createSilentList(): StepList & { readonly printed: string[] } {
  const printed: string[] = [];
  return {
    printed,
    show(name, work) {
      work({ report: (progress) => printed.push(`${name}: ${progress}`) }).then(
        (result) => printed.push(`${name} done: ${result}`),
        (error: Error) => printed.push(`${name} failed: ${error.message}`),
      );
    },
    end: async () => {},
  };
}

function step(name: string, needs: readonly string[], order: string[], fails = false): Step {
  return {
    name,
    needs,
    async run(report) {
      order.push(name);
      report("on its way");
      await Promise.resolve();
      if (fails) throw new Error(`${name} broke`);
      return "there";
    },
  };
}

describe("runSteps", () => {
  it("starts a step when its dependencies are done, and reports what it waits for", async () => {
    const order: string[] = [];
    const list = createSilentList();
    await runSteps(
      [step("a", [], order), step("b", [], order), step("c", ["a", "b"], order), step("d", ["c"], order)],
      list,
    );
    expect(order).toEqual(["a", "b", "c", "d"]);
    expect(list.printed).toContain("c: waits for a, b");
    expect(list.printed).toContain("d done: there");
  });

  it("starts no step that depends on a failed one, finishes the others, and throws the failure", async () => {
    const order: string[] = [];
    const list = createSilentList();
    const steps = [
      step("a", [], order, true),
      step("b", ["a"], order),
      step("c", [], order),
      step("d", ["b", "c"], order),
    ];
    await expect(runSteps(steps, list)).rejects.toThrow("a broke");
    expect(order).toEqual(["a", "c"]);
    expect(list.printed).toContain("b failed: b was not started");
    expect(list.printed).toContain("d failed: d was not started");
    expect(list.printed).toContain("c done: there");
  });

  it("rejects a step that depends on a later one", async () => {
    const list = createSilentList();
    await expect(runSteps([step("a", ["b"], []), step("b", [], [])], list)).rejects.toThrow(
      "step a needs b, which does not come before it",
    );
  });
});
