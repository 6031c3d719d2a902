import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { withFileLock } from "./file-lock.ts";
import { processIdentity } from "./process-identity.ts";

const limitMs = 20_000;

/** Increments a number in a file, several times, with separate reads and writes. */
const counting = (lock: string, counter: string, times: number): string => `
  import { readFileSync, writeFileSync } from "node:fs";
  import { setImmediate } from "node:timers/promises";
  import { withFileLock } from ${JSON.stringify(new URL("./file-lock.ts", import.meta.url).href)};
  for (let i = 0; i < ${times}; i += 1)
    await withFileLock(${JSON.stringify(lock)}, async () => {
      const before = Number(readFileSync(${JSON.stringify(counter)}, "utf8"));
      await setImmediate();
      writeFileSync(${JSON.stringify(counter)}, String(before + 1));
    }, { limitMs: ${limitMs} });`;

describe("a file lock", () => {
  it("is held by one of several processes at a time", async () => {
    using folder = temporaryFolder();
    const counter = join(folder.path, "counter");
    writeFileSync(counter, "0");
    const script = counting(join(folder.path, "lock"), counter, 10);
    const exits = Array.from({ length: 3 }, () =>
      once(
        spawn(process.execPath, ["--input-type=module-typescript", "-e", script], { stdio: "inherit" }),
        "exit",
      ),
    );
    expect((await Promise.all(exits)).map(([code]) => code)).toEqual([0, 0, 0]);
    expect(readFileSync(counter, "utf8")).toBe("30");
  });

  it("of a dead holder is taken over", async () => {
    using folder = temporaryFolder();
    const lock = join(folder.path, "lock");
    const own = processIdentity(process.pid)!;
    writeFileSync(lock, JSON.stringify({ ...own, startTime: "long ago" }));
    expect(await withFileLock(lock, async () => "in", { limitMs })).toBe("in");
    expect(existsSync(lock)).toBe(false);
  });

  it("that is held too long reports its holder", async () => {
    using folder = temporaryFolder();
    const lock = join(folder.path, "lock");
    const waited: number[] = [];
    await withFileLock(
      lock,
      async () => {
        await expect(
          withFileLock(lock, async () => {}, { limitMs: 0, onWait: (pid) => waited.push(pid) }),
        ).rejects.toThrow(`process ${process.pid} holds ${lock}`);
      },
      { limitMs },
    );
  });

  it("is free again after work that failed", async () => {
    using folder = temporaryFolder();
    const lock = join(folder.path, "lock");
    const failing = withFileLock(lock, () => Promise.reject(new Error("no")), { limitMs });
    await expect(failing).rejects.toThrow("no");
    expect(await withFileLock(lock, async () => 1, { limitMs })).toBe(1);
  });
});
