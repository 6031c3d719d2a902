import { spawn } from "node:child_process";
import { once } from "node:events";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { endProcess, isRunning, processIdentity, residentBytes, signalGroup } from "./process-identity.ts";

/** A process that prints when it is up; with "stubborn" it ignores SIGTERM. */
async function startStandIn(manner: "polite" | "stubborn" = "polite") {
  const onTerm = manner === "stubborn" ? "process.on('SIGTERM', () => {});" : "";
  const child = spawn(process.execPath, ["-e", `${onTerm} setInterval(() => {}, 1000); console.log("up")`], {
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
  await once(child.stdout, "data");
  return { child, identity: processIdentity(child.pid!)! };
}

describe("a process", () => {
  it("is distinguished from a later one with the same id by its start time", async () => {
    const { identity } = await startStandIn();
    const earlier = { ...identity, startTime: `${identity.startTime}0` };
    expect(isRunning(identity)).toBe(true);
    expect(isRunning(earlier)).toBe(false);
    signalGroup(earlier, "SIGKILL");
    await endProcess(earlier, 0);
    expect(isRunning(identity)).toBe(true);
    await endProcess(identity, 5000);
  });

  it("ends on SIGTERM", async () => {
    const { child, identity } = await startStandIn();
    const exit = once(child, "exit");
    await endProcess(identity, 10_000);
    expect(isRunning(identity)).toBe(false);
    expect((await exit)[1]).toBe("SIGTERM");
  });

  it("that does not end is killed after the grace period", async () => {
    const { child, identity } = await startStandIn("stubborn");
    const exit = once(child, "exit");
    await endProcess(identity, 50);
    expect(isRunning(identity)).toBe(false);
    expect((await exit)[1]).toBe("SIGKILL");
  });

  it("is killed with its child processes", async () => {
    const child = spawn(
      process.execPath,
      [
        "-e",
        `const c = require("node:child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
         setInterval(() => {}, 1000); console.log(c.pid)`,
      ],
      { detached: true, stdio: ["ignore", "pipe", "ignore"] },
    );
    const [printed] = (await once(child.stdout, "data")) as [Buffer];
    const grandchild = processIdentity(Number(printed.toString()))!;
    await endProcess(processIdentity(child.pid!)!, 0);
    await waitUntil(() => !isRunning(grandchild), { what: "the grandchild is dead" });
  });

  it("that has ended has no identity and no memory", async () => {
    const { identity } = await startStandIn();
    expect(residentBytes(identity.pid)).toBeGreaterThan(1_000_000);
    await endProcess(identity, 5000);
    expect(processIdentity(identity.pid)).toBeUndefined();
  });
});
