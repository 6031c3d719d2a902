import { appendFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "@devicemesh/kit/observability/logger";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { temporaryFolder, waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { followFile } from "../watched-file.ts";
import { openDenyListFile } from "./deny-list-file.ts";

type Line = {
  readonly level: "error" | "warn";
  readonly facts: Record<string, unknown>;
  readonly text: string;
};

function open(path: string) {
  const lines: Line[] = [];
  const log = (level: Line["level"]) => (facts: Record<string, unknown>, text: string) => {
    lines.push({ level, facts, text });
  };
  const logger = { ...silentLogger(), error: log("error"), warn: log("warn") } as unknown as Logger;
  const list = openDenyListFile({ path, logger, intervalMs: 5 });
  return { list, lines, [Symbol.dispose]: () => list[Symbol.dispose]() };
}

/** Writes a file atomically: a poll between truncating and writing it would see an empty list. */
function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

function withFile(text: string) {
  const folder = temporaryFolder();
  const path = join(folder.path, "denied.txt");
  writeFileSync(path, text);
  const opened = open(path);
  return {
    ...opened,
    path,
    [Symbol.dispose]() {
      opened[Symbol.dispose]();
      folder[Symbol.dispose]();
    },
  };
}

describe("a deny list in a file", () => {
  it("keeps its entries when the file becomes empty, and reports it", async () => {
    using file = withFile("token a\ntoken b\n");
    truncateSync(file.path);
    await waitUntil(() => file.lines.length > 0);
    expect(file.lines[0]).toMatchObject({
      level: "error",
      text: expect.stringContaining("write a line `none`"),
    });
    // Another follower of the file settles at the poll at which the list would lift the removed entries.
    const settled = Promise.withResolvers<void>();
    using _ = followFile({
      path: file.path,
      parse: (text) => text,
      settle(text) {
        settled.resolve();
        return text;
      },
      onProblem: settled.reject,
      intervalMs: 5,
    });
    await settled.promise;
    appendFileSync(file.path, "# still empty\n");
    // It is reported again only if entries are still revoked.
    await waitUntil(() => file.lines.length > 1);
    expect(file.lines[1]).toMatchObject({
      level: "error",
      text: expect.stringContaining("write a line `none`"),
    });
    expect(["a", "b"].map((id) => file.list.has("token", id))).toEqual([true, true]);
  });

  it("removes every entry when the file contains `none`, and logs each", async () => {
    using file = withFile("token a\ntoken b\n");
    replace(file.path, "# all found again\nnone\n");
    await waitUntil(() => !file.list.has("token", "a"));
    expect(file.list.has("token", "b")).toBe(false);
    expect(file.lines).toEqual([
      {
        level: "warn",
        facts: { path: file.path, lifted: ["token a", "token b"], liftedCount: 2 },
        text: "entries were removed from the deny list and are no longer revoked",
      },
    ]);
  });

  it("removes an entry that the file no longer contains, and keeps the others", async () => {
    using file = withFile("token a\ntoken b\n");
    replace(file.path, "token b\n");
    await waitUntil(() => !file.list.has("token", "a"));
    expect(file.list.has("token", "b")).toBe(true);
    expect(file.lines.map(({ facts }) => facts.lifted)).toEqual([["token a"]]);
  });

  it("keeps its entries while the file is missing or invalid", async () => {
    using file = withFile("token a\n");
    rmSync(file.path);
    await waitUntil(() => file.lines.length > 0);
    replace(file.path, "tokne x\ntoken c\n");
    await waitUntil(() => file.list.has("token", "c"));
    expect(file.list.has("token", "a")).toBe(true);
    expect(file.lines.map(({ level }) => level)).toEqual(["error", "error"]);
  });

  it("treats `none` beside entries as a mistake", () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "denied.txt");
    writeFileSync(path, "none\ntoken a\n");
    expect(() => open(path)).toThrow('line 1: "none" beside entries');
  });
});
