import { silentLogger } from "@devicemesh/kit/observability/logger";
import { describe, expect, it } from "vitest";
import type { Part } from "../definition/difference.ts";
import { createInspection } from "./inspection.ts";

/** Parts by name, each with its difference; applying a part removes the difference, unless the part resists. */
function meshOf(differences: Record<string, Part["difference"]>, resists = "") {
  let inspected = 0;
  const inspection = createInspection({
    async inspect() {
      inspected += 1;
      return Object.entries(differences).map(([what, difference]) => ({
        what,
        difference,
        async apply() {
          if (what === resists) throw new Error("it resists");
          differences[what] = { kind: "same" };
        },
      }));
    },
    everyMs: 1000,
    logger: silentLogger(),
  });
  return { differences, inspection, inspected: () => inspected };
}

const change = { kind: "change", changes: [{ setting: "tasks.max", from: "1", to: "2" }] } as const;

describe("an inspection", () => {
  it("reports a difference, repairs it, and is clean in the next inspection", async () => {
    const { inspection } = meshOf({ "index a": { kind: "create" }, "connector b": change });
    expect(await inspection.run(0, false)).toEqual([
      "index a is missing",
      "connector b is not as it should be: tasks.max",
    ]);
    expect(await inspection.run(10, false)).toEqual([]);
  });

  it("reports what it cannot repair in every inspection, and repairs no topic", async () => {
    const { inspection, inspected } = meshOf({
      "topic a": { kind: "create" },
      settings: { kind: "refused", text: "other windows" },
    });
    const problems = ["topic a is missing", "settings: other windows"];
    expect(await inspection.run(0, false)).toEqual(problems);
    expect(await inspection.run(500, false)).toEqual(problems);
    expect(inspected()).toBe(1);
    expect(await inspection.run(1000, false)).toEqual(problems);
    expect(inspected()).toBe(2);
  });

  it("reports a part that cannot be repaired, and repairs the rest", async () => {
    const { inspection, differences } = meshOf(
      { "index a": { kind: "create" }, "index b": { kind: "create" } },
      "index a",
    );
    expect(await inspection.run(0, false)).toContain("index a could not be repaired: it resists");
    expect(differences["index b"]).toEqual({ kind: "same" });
  });

  it("inspects at once if urgent, and otherwise not before it is due", async () => {
    const { inspection, inspected } = meshOf({ "index a": { kind: "same" } });
    for (const [now, urgent] of [
      [0, false],
      [500, false],
      [600, true],
      [1500, false],
      [1600, false],
    ] as const) {
      await inspection.run(now, urgent);
    }
    expect(inspected()).toBe(3);
  });

  it("reports no problem for a difference that the mesh works with", async () => {
    const { inspection } = meshOf({ "topic a": { kind: "left", text: "on one broker" } });
    expect(await inspection.run(0, false)).toEqual([]);
  });
});
