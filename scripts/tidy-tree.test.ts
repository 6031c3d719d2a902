import { expect, it } from "vitest";
import { writtenFiles } from "./tidy.ts";
import {
  brokenSkeletons,
  brokenTreeRules,
  fullFolders,
  importersOfTestSupport,
  missingReadmes,
  treeFigures,
  workspaceCycle,
} from "./tidy-tree.ts";

const tree = writtenFiles();
const file = (path: string, text = "") => ({ path, text });

it("the rules hold for the whole tree", () => {
  expect(brokenTreeRules(tree)).toEqual([]);
});

it("finds a product file that imports test support, by path and by package", () => {
  const relative = file(
    "ingest/src/publish/a.ts",
    'import { x } from "../../testing/memory-message-log.ts";',
  );
  const byPackage = file(
    "query/src/a.ts",
    'import { x } from "@devicemesh/ingest/testing/memory-message-log";',
  );
  const page = file("web/src/a.tsx", byPackage.text);
  const test = file("query/src/a.test.ts", byPackage.text);
  expect(importersOfTestSupport([relative, byPackage, page, test])).toHaveLength(3);
});

it("finds a barrel that exports test support", () => {
  const barrel = file("ingest/src/index.ts", 'export * from "../testing/memory-message-log.ts";');
  expect(importersOfTestSupport([barrel])).toEqual([
    "ingest/src/index.ts: a product file imports no test support (testing/)",
  ]);
});

it("finds a median product file of more than 110 lines", () => {
  const long = file("kit/src/a.ts", "1\n".repeat(111));
  expect(brokenTreeRules([long])).toEqual(["the median product file has 111 lines; at most 110"]);
  expect(brokenTreeRules([long, file("kit/src/b.ts", "1\n"), file("kit/src/c.ts", "1\n")])).toEqual([]);
});

it("finds a folder with a 16th product file; tests do not count", () => {
  const inside = Array.from({ length: 15 }, (_, i) => file(`kit/src/server/file-${i}.ts`));
  const tests = inside.map(({ path }) => file(path.replace(".ts", ".test.ts")));
  expect(fullFolders([...inside, ...tests])).toEqual([]);
  expect(fullFolders([...inside, file("kit/src/server/one-more.ts")])).toHaveLength(1);
});

it("finds a relative import that closes a cycle of workspaces", () => {
  expect(workspaceCycle(tree)).toBeUndefined();
  const closing = file("ingest/src/a.test.ts", 'import { x } from "../../standalone/src/start.ts";');
  expect(workspaceCycle([...tree, closing])).toMatch(/standalone → .*ingest|ingest → .*standalone/);
});

it("finds a program without limits.ts and a long main.ts", () => {
  const program = ["settings.ts", "start.ts"].map((name) => file(`gate/src/${name}`));
  const main = file("gate/src/main.ts", "await run();\n".repeat(16));
  expect(brokenSkeletons([...program, main])).toEqual([
    "gate/src: a program has limits.ts",
    "gate/src/main.ts: main.ts has at most 15 lines",
  ]);
});

it("finds a workspace without a README, and one whose README does not begin with a sentence", () => {
  const workspace = file("gate/package.json", "{}");
  expect(missingReadmes([workspace])).toHaveLength(1);
  expect(missingReadmes([workspace, file("gate/README.md", "# gate\n\n| file |\n")])).toHaveLength(1);
  expect(missingReadmes([workspace, file("gate/README.md", "# gate\n\nThis package opens it.\n")])).toEqual(
    [],
  );
});

it("the figures count product files and lines only", () => {
  const files = [
    file("kit/src/a.ts", "1\n2\n3\n"),
    file("kit/src/a.test.ts", "1\n"),
    file("e2e/src/b.ts", "1\n"),
    file("web/src/page.tsx", "1\n"),
    file("web/src/main.ts", ""),
    file("web/package.json", "{}"),
  ];
  expect(treeFigures(files)).toEqual({
    productFiles: 3,
    productLines: 4,
    medianLines: 1,
    longest: 3,
    fullestFolder: 2,
    workspaces: 1,
    hasCycle: false,
    programs: 1,
    brokenPrograms: 1,
    importersOfTestSupport: 0,
  });
});
