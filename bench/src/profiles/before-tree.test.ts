import { execFileSync } from "node:child_process";
import { mkdtempSync, realpathSync } from "node:fs";
import { mkdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { currentTree, earlierTree } from "./before-tree.ts";

let root: string;

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}

function git(...args: readonly string[]): string {
  const identity = [
    "-c",
    "user.name=test",
    "-c",
    "user.email=test@example.org",
    "-c",
    "commit.gpgsign=false",
  ];
  return execFileSync("git", [...identity, ...args], { cwd: root, encoding: "utf8" }).trim();
}

function commit(): string {
  git("add", "--all");
  git("commit", "--quiet", "--message", "a state");
  return git("rev-parse", "HEAD");
}

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "devicemesh-tree-")));
});

afterEach(() => rm(root, { recursive: true, force: true }));

it("has the files and workspaces of the commit, this tree's programs that it lacks, and this tree's packages", async () => {
  git("init", "--quiet");
  await write(".gitignore", "node_modules\n.cache\n");
  await write("package.json", "{}");
  await write("bench/src/server.ts", "earlier");
  await write("kit/package.json", '{"name":"@devicemesh/kit"}');
  const earlier = commit();
  await write("bench/src/server.ts", "now");
  await write("bench/src/profiles/program.ts", "now");
  const now = commit();
  await write("node_modules/vendor/index.js", "vendor");

  const current = await currentTree(root);
  expect(current.commit).toBe(now);
  const folder = join(root, ".cache/profiles");
  const tree = await earlierTree({ current, commit: earlier.slice(0, 10), folder });
  expect(tree).toEqual({ root: join(folder, earlier.slice(0, 8)), commit: earlier });
  const text = (path: string) => readFile(join(tree.root, path), "utf8");
  expect(await text("bench/src/server.ts")).toBe("earlier");
  expect(await text("bench/src/profiles/program.ts")).toBe("now");
  expect(await text("node_modules/vendor/index.js")).toBe("vendor");
  expect(await realpath(join(tree.root, "node_modules/@devicemesh/kit"))).toBe(join(tree.root, "kit"));

  // The same with another program, and after its folder was removed.
  await write("bench/src/profiles/program.ts", "changed");
  await earlierTree({ current, commit: earlier, folder });
  expect(await text("bench/src/profiles/program.ts")).toBe("changed");
  expect(await text("bench/src/server.ts")).toBe("earlier");
  await rm(folder, { recursive: true });
  await earlierTree({ current, commit: earlier, folder });
  expect(await text("bench/src/server.ts")).toBe("earlier");
});

it("fails for a commit that the repository does not have", async () => {
  git("init", "--quiet");
  await write("package.json", "{}");
  commit();
  const current = await currentTree(root);
  await expect(earlierTree({ current, commit: "0123456", folder: join(root, "trees") })).rejects.toThrow(
    "the repository has no commit 0123456",
  );
});
