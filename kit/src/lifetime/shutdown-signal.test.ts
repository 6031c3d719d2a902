import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { waitUntil } from "../../testing/test-helpers.ts";

const module = fileURLToPath(new URL("shutdown-signal.ts", import.meta.url));

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) {
    child.kill("SIGKILL");
  }
});

/** A process that never ends by itself, and prints the result of its wait and each later signal. */
async function startChild(options: { sameRequestMs?: number }) {
  const script = `
    import { untilShutdownSignal } from ${JSON.stringify(module)};
    setInterval(() => {}, 1000);
    const say = (text) => process.stdout.write(text + " ");
    untilShutdownSignal(${JSON.stringify(options)}).then((signal) => say("resolved " + signal));
    process.on("SIGINT", say);
    process.on("SIGTERM", say);
    say("ready");`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  let said = "";
  child.stdout.on("data", (chunk) => {
    said += String(chunk);
  });
  await waitUntil(() => said === "ready ", { what: "the child" });
  return { child, exit: once(child, "exit"), said: () => said };
}

describe("untilShutdownSignal", () => {
  it.each(["SIGINT", "SIGTERM"] as const)(
    "resolves with the first %s, and leaves the process be",
    async (signal) => {
      const { child, said } = await startChild({});
      child.kill(signal);
      await waitUntil(() => said() === `ready ${signal} resolved ${signal} `);
      expect(child.exitCode).toBeNull();
    },
  );

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("ends the process at once with a second signal, a %s", async (signal, code) => {
    const { child, exit, said } = await startChild({ sameRequestMs: 0 });
    child.kill("SIGINT");
    await waitUntil(() => said().includes("resolved SIGINT"));
    child.kill(signal);
    expect(await exit).toEqual([code, null]);
  });

  it("treats two signals shortly after each other, as from Ctrl-C under npm, as one", async () => {
    const { child, said } = await startChild({ sameRequestMs: 60_000 });
    child.kill("SIGINT");
    await waitUntil(() => said().includes("resolved SIGINT"));
    child.kill("SIGINT");
    await waitUntil(() => said() === "ready SIGINT resolved SIGINT SIGINT ");
    expect(child.exitCode).toBeNull();
  });
});
