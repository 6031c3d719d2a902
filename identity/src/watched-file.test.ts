import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder, waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { followFile } from "./watched-file.ts";

/** Writes a file in one step, so that no poll sees half of it. */
function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

function follow(path: string) {
  const problems: unknown[] = [];
  const file = followFile({
    path,
    parse(text) {
      if (text === "wrong") throw new Error("it is wrong");
      return text;
    },
    onProblem: (error) => problems.push(error),
    intervalMs: 5,
  });
  return { file, problems, [Symbol.dispose]: () => file[Symbol.dispose]() };
}

describe("followFile", () => {
  it("returns the new contents, whether the file is overwritten or replaced", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "file");
    writeFileSync(path, "first");
    using followed = follow(path);
    expect(followed.file.current).toBe("first");
    writeFileSync(path, "other");
    await waitUntil(() => followed.file.current === "other");
    writeFileSync(`${path}.new`, "third");
    renameSync(`${path}.new`, path);
    await waitUntil(() => followed.file.current === "third");
    expect(followed.problems).toEqual([]);
  });

  it("keeps the last contents while the file is invalid or missing, and reports each once", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "file");
    writeFileSync(path, "first");
    using followed = follow(path);
    writeFileSync(path, "wrong");
    await waitUntil(() => followed.problems.length > 0);
    rmSync(path);
    await waitUntil(() => followed.problems.length > 1);
    expect(followed.file.current).toBe("first");
    expect(followed.problems.map(String)).toEqual([
      "Error: it is wrong",
      expect.stringContaining("ENOENT") as unknown as string,
    ]);
    writeFileSync(path, "again");
    await waitUntil(() => followed.file.current === "again");
    expect(followed.problems.length).toBe(2);
  });

  it("applies new contents only when a poll finds the file unchanged", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "file");
    writeFileSync(path, "0");
    const calls: string[] = [];
    using file = followFile({
      path,
      parse(text, before: string | undefined) {
        calls.push(`parse ${text}`);
        // A slow writer: the file differs at each of the next polls.
        if (before !== undefined && text.length < 4) replace(path, `${text}${text.length}`);
        return text;
      },
      settle(text) {
        calls.push(`settle ${text}`);
        return `${text} settled`;
      },
      onProblem: (error) => calls.push(String(error)),
      intervalMs: 5,
    });
    await waitUntil(() => file.current.endsWith("settled"));
    replace(path, "new");
    await waitUntil(() => file.current === "new3 settled");
    expect(calls).toEqual([
      "parse 0",
      "parse 0",
      "parse 01",
      "parse 012",
      "parse 0123",
      "settle 0123",
      "parse new",
      "parse new3",
      "settle new3",
    ]);
  });

  it("throws the problem of the first read", () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "file");
    expect(() => follow(path)).toThrow("ENOENT");
    writeFileSync(path, "wrong");
    expect(() => follow(path)).toThrow("it is wrong");
  });
});
