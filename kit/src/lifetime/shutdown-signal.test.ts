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
    const report = (text) => process.stdout.write(text + " ");
    untilShutdownSignal(${JSON.stringify(options)}).then((signal) => report("resolved " + signal));
    process.on("SIGINT", report);
    process.on("SIGTERM", report);
    report("ready");`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  let printed = "";
  child.stdout.on("data", (chunk) => {
    printed += String(chunk);
  });
  await waitUntil(() => printed === "ready ", { what: "the child" });
  return { child, exit: once(child, "exit"), printed: () => printed };
}

describe("untilShutdownSignal", () => {
  it.each(["SIGINT", "SIGTERM"] as const)(
    "resolves with the first %s, and does not end the process",
    async (signal) => {
      const { child, printed } = await startChild({});
      child.kill(signal);
      await waitUntil(() => printed() === `ready ${signal} resolved ${signal} `);
      expect(child.exitCode).toBeNull();
    },
  );

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("ends the process at once with a second signal, a %s", async (signal, code) => {
    const { child, exit, printed } = await startChild({ sameRequestMs: 0 });
    child.kill("SIGINT");
    await waitUntil(() => printed().includes("resolved SIGINT"));
    child.kill(signal);
    expect(await exit).toEqual([code, null]);
  });

  it("treats two signals shortly after each other, as from Ctrl-C under npm, as one", async () => {
    const { child, printed } = await startChild({ sameRequestMs: 60_000 });
    child.kill("SIGINT");
    await waitUntil(() => printed().includes("resolved SIGINT"));
    child.kill("SIGINT");
    await waitUntil(() => printed() === "ready SIGINT resolved SIGINT SIGINT ");
    expect(child.exitCode).toBeNull();
  });
});
