import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const module = fileURLToPath(new URL("../../lab/run-lab.ts", import.meta.url));

it("keeps the process running until it is ended, although nothing else does", async () => {
  const program = `
    import { untilAborted } from ${JSON.stringify(module)};
    const ending = new AbortController();
    process.on("SIGTERM", () => ending.abort());
    // This timer keeps no process running.
    setTimeout(() => console.log("waits"), 100).unref();
    await untilAborted(ending.signal);
    console.log("ended");
  `;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (text.includes("waits")) child.kill("SIGTERM");
  });
  expect(await once(child, "close")).toEqual([0, null]);
  expect(output).toBe("waits\nended\n");
});
