import { describe, expect, it } from "vitest";
import {
  anyDiffers,
  changedSettings,
  differenceOf,
  MeshRefusedError,
  type Part,
  planLines,
} from "./difference.ts";
import { applyParts } from "./inspect-mesh.ts";

function part(what: string, difference: Part["difference"], applied: string[] = []): Part {
  return {
    what,
    difference,
    async apply() {
      applied.push(what);
    },
  };
}

const change = { kind: "change", changes: [{ setting: "retention.ms", from: "1", to: "2" }] } as const;

describe("a plan", () => {
  it("has a line for each part, and one for each setting that would change", () => {
    const parts = [
      part("topic a", { kind: "same" }),
      part("topic b", { kind: "create" }),
      part("topic c", change),
      part("topic d", { kind: "left", text: "on one broker" }),
      part("settings", { kind: "refused", text: "use --partitions 4" }),
    ];
    expect(planLines(parts)).toEqual([
      "= topic a",
      "+ topic b: would be created",
      "~ topic c: would be changed",
      "    retention.ms: 1 -> 2",
      "! topic d: on one broker",
      "x settings: use --partitions 4",
    ]);
  });

  it("differs if one part differs", () => {
    expect(anyDiffers([part("a", { kind: "same" })])).toBe(false);
    expect(anyDiffers([part("a", { kind: "same" }), part("b", { kind: "left", text: "" })])).toBe(true);
  });

  it("compares only the desired settings", () => {
    expect(changedSettings({ a: "1", b: "2", c: "3" }, { a: "1", b: "5", d: "6" })).toEqual([
      { setting: "b", from: "2", to: "5" },
      { setting: "d", from: "(not set)", to: "6" },
    ]);
    expect(differenceOf(changedSettings({ a: "1", z: "1" }, { a: "1" }))).toEqual({ kind: "same" });
  });
});

describe("applying parts", () => {
  it("creates missing parts and changes different ones, in order, and leaves the rest alone", async () => {
    const applied: string[] = [];
    await applyParts([
      part("first", { kind: "create" }, applied),
      part("second", { kind: "same" }, applied),
      part("third", change, applied),
      part("fourth", { kind: "left", text: "" }, applied),
    ]);
    expect(applied).toEqual(["first", "third"]);
  });

  it("changes nothing if one part cannot be changed, and names all such parts", async () => {
    const applied: string[] = [];
    const parts = [
      part("first", { kind: "create" }, applied),
      part("second", { kind: "refused", text: "no" }, applied),
      part("third", { kind: "refused", text: "neither" }, applied),
    ];
    await expect(applyParts(parts)).rejects.toThrow(new MeshRefusedError(["second: no", "third: neither"]));
    expect(applied).toEqual([]);
  });
});
