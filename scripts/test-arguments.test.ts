import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { findTestFiles, projectOf, readTestArguments } from "./test-arguments.ts";
import { slowestFiles, sumOutcomes } from "./test-runs.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

describe("the arguments of npm test", () => {
  it("are a switch and patterns, in any order", () => {
    expect(readTestArguments([])).toEqual({
      kind: "run",
      all: false,
      lab: false,
      soak: false,
      patterns: [],
    });
    expect(readTestArguments(["planner", "--all"])).toEqual({
      kind: "run",
      all: true,
      lab: false,
      soak: false,
      patterns: ["planner"],
    });
  });

  it("may request the long acceptance runs and the lab", () => {
    expect(readTestArguments(["--soak"])).toMatchObject({ all: false, soak: true });
    expect(readTestArguments(["--lab"])).toMatchObject({ all: false, lab: true });
    expect(readTestArguments(["--all", "--lab"])).toMatchObject({ all: true, lab: true });
  });

  it("do not silently ignore an unknown switch", () => {
    expect(readTestArguments(["--al"])).toMatchObject({
      kind: "error",
      text: expect.stringContaining("--al"),
    });
  });
});

describe("the test files", () => {
  it("belong to a project by their name", () => {
    expect(projectOf("query/src/plan/planner.test.ts")).toBe("unit");
    expect(projectOf("envoy/src/drain.tools.test.ts")).toBe("tools");
    expect(projectOf("e2e/src/mesh/kills.engine.test.ts")).toBe("engines");
    expect(projectOf("stack/src/images/images.lab.test.ts")).toBe("lab");
    expect(projectOf("e2e/src/mesh/cuts.soak.test.ts")).toBe("soak");
  });

  it("are found by a part of their path", () => {
    expect(findTestFiles(root, ["scripts/test-arg"])).toEqual(["scripts/test-arguments.test.ts"]);
    expect(new Set(findTestFiles(root, []).map(projectOf))).toEqual(
      new Set(["unit", "tools", "engines", "lab", "soak"]),
    );
  });
});

describe("the table of slow files", () => {
  const run = (...files: [string, number][]) => ({
    passed: 1,
    failed: 0,
    skipped: 2,
    files: files.map(([path, seconds]) => ({ path, seconds })),
  });

  it("lists the slowest of all runs first", () => {
    const table = slowestFiles([run(["a", 1], ["b", 3]), run(["c", 2])], 2).split("\n");
    expect(table.slice(1).map((row) => row.trim())).toEqual(["3.0 s  b", "2.0 s  c"]);
  });

  it("follows a sum of the outcomes of all runs", () => {
    expect(sumOutcomes([run(["a", 1]), run()])).toMatchObject({ passed: 2, failed: 0, skipped: 4 });
  });
});
