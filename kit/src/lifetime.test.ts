import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { sameWishMs } from "./lifetime.ts";
import { waitUntil } from "./testing.ts";

const module = fileURLToPath(new URL("lifetime.ts", import.meta.url));

/** A process that says when it is ready, says each thing that `body` says, and never ends by itself. */
function startChild(body: string): { child: ChildProcess; said: () => string } {
  const script = `
    import { untilShutdownSignal } from ${JSON.stringify(module)};
    setInterval(() => {}, 1000);
    const shutdown = untilShutdownSignal();
    process.stdout.write("ready ");
    ${body}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout!.on("data", (chunk) => {
    said += String(chunk);
  });
  return { child, said: () => said };
}

describe("untilShutdownSignal", () => {
  it.each(["SIGINT", "SIGTERM"] as const)("resolves with the first %s", async (signal) => {
    const { child, said } = startChild("process.stdout.write(await shutdown); process.exit(0);");
    await waitUntil(() => said() === "ready ");
    child.kill(signal);
    expect(await once(child, "exit")).toEqual([0, null]);
    expect(said()).toBe(`ready ${signal}`);
  });

  it("ends the process at once with the second signal", async () => {
    const { child, said } = startChild("process.stdout.write(await shutdown);");
    await waitUntil(() => said() === "ready ");
    child.kill("SIGINT");
    await waitUntil(() => said() === "ready SIGINT");
    // A wait of exactly the span that is under test, and no guess.
    await delay(sameWishMs + 50);
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([143, null]);
  });

  it("takes two signals at a time, as Ctrl-C under npm sends them, for one", async () => {
    const { child, said } = startChild(`
      process.stdout.write(await shutdown);
      process.once("SIGUSR2", () => process.exit(7));`);
    await waitUntil(() => said() === "ready ");
    child.kill("SIGINT");
    await waitUntil(() => said() === "ready SIGINT");
    child.kill("SIGINT");
    child.kill("SIGUSR2");
    expect(await once(child, "exit")).toEqual([7, null]);
  });
});
