import { describe, expect, it } from "vitest";
import { untidy, writtenFiles } from "./tidy.ts";

const rulesBroken = (path: string, text: string) => untidy([{ path, text }]);

describe("the tidy rules", () => {
  it("hold for the whole tree", () => {
    expect(untidy(writtenFiles())).toEqual([]);
  });

  it.each([
    ["a vendor outside its adapter", "store-duckdb/src/planner.ts", 'import duckdb from "@duckdb/node-api";'],
    [
      "an import against the architecture",
      "ingest/src/a.ts",
      'import { planRead } from "@devicemesh/query";',
    ],
    [
      "engines outside a test against them",
      "ingest/src/a.test.ts",
      'import { testEngines } from "@devicemesh/engines/testing/test-engines";',
    ],
    ["a service in kit", "kit/src/a.ts", 'import { startIngest } from "@devicemesh/ingest";'],
    ["the environment outside main.ts", "query/src/a.ts", "const port = process.env.PORT;"],
    ["a long file", "kit/src/a.ts", "\n".repeat(400)],
    ["a long main", "ingest/src/main.ts", "\n".repeat(70)],
    ["a name that is not kebab-case", "kit/src/myFile.ts", ""],
    ["a skipped test", "kit/src/a.test.ts", "it.skip('later', () => {});"],
    ["a cast", "kit/src/a.ts", "const x = y as any;"],
    ["an engine in the pure core", "query/src/plan/planner.ts", "// as DuckDB does"],
    ["a path of a machine", "README.md", "see /home/someone/notes"],
  ])("find %s", (_, path, text) => {
    expect(rulesBroken(path, text)).toHaveLength(1);
  });

  it("let a test on the real engines import clients of engines", () => {
    const text = 'import { testEngines } from "@devicemesh/engines/testing/test-engines";';
    expect(rulesBroken("ingest/src/a.engine.test.ts", text)).toEqual([]);
  });

  it("find nothing in a file that breaks no rule", () => {
    expect(rulesBroken("kit/src/a.ts", "export const answer = 42;\n")).toEqual([]);
  });
});
