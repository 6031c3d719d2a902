import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { defaultBefore } from "../settings.ts";
import { earlierCommit } from "./run-profiles.ts";

it("profiles a named commit in any case, and the default one only in a full run of a repository that has it", async () => {
  const root = await mkdtemp(join(tmpdir(), "devicemesh-profiles-"));
  try {
    execFileSync("git", ["init", "--quiet"], { cwd: root });
    expect(await earlierCommit(root, { before: "none", quick: false })).toBeUndefined();
    expect(await earlierCommit(root, { before: defaultBefore, quick: false })).toBeUndefined();
    expect(await earlierCommit(root, { before: "v1.0", quick: true })).toBe("v1.0");
    const name = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"];
    execFileSync("git", [...name, "commit", "--quiet", "--allow-empty", "--message", "one"], { cwd: root });
    // A branch that git finds under the name of the default commit.
    execFileSync("git", ["branch", defaultBefore], { cwd: root });
    expect(await earlierCommit(root, { before: defaultBefore, quick: false })).toBe(defaultBefore);
    expect(await earlierCommit(root, { before: defaultBefore, quick: true })).toBeUndefined();
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
