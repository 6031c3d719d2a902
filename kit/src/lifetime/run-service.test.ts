import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../testing/test-helpers.ts";

const here = new URL("..", import.meta.url).href;

/** Runs a service with the start function `start`, and sends it a signal once it has printed `signalAt`. */
async function run(start: string, args: readonly string[], signalAt?: string) {
  using folder = temporaryFolder();
  const file = join(folder.path, "main.ts");
  writeFileSync(
    file,
    `import { createServer } from "node:net";
import { runService } from "${here}lifetime/run-service.ts";
import { metricsSettings } from "${here}settings/metrics-setting.ts";
import { defineSettings } from "${here}settings/define-settings.ts";
const definition = defineSettings({ prefix: "T_", settings: {
  host: { flag: "--host", env: "T_HOST", kind: "string", default: "127.0.0.1", description: "Where." },
  ...metricsSettings("T_"),
  logLevel: { flag: "--log-level", env: "T_LOG", kind: "string", default: "info", description: "What." },
} });
await runService({ name: "echo", definition, async start(values, { metrics }) { ${start} } }, process);
`,
  );
  const child = spawn(process.execPath, [file, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    if (signalAt !== undefined && stdout.includes(signalAt)) child.kill("SIGTERM");
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

const listens = `
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return { port: server.address().port, close: async () => { console.log("closed"); server.close(); } };`;

describe("runService", () => {
  it("prints its address, and closes on a signal", async () => {
    const { code, stdout } = await run(listens, [], "listening on");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^listening on 127\.0\.0\.1:\d+\nclosed\n$/);
  });

  it("serves its metrics until it is closed, and prints their address after its own", async () => {
    const { code, stdout, stderr } = await run(
      `metrics.register(
        { up: { name: "echo_up", type: "gauge", unit: "1", help: "Whether it is up" } },
        { up: () => 1 },
      );
      const close = async () => {
        const [, address] = /metrics on (\\S+)/.exec(printed);
        const text = await (await fetch("http://" + address + "/metrics")).text();
        console.log(/^echo_up .*$/m.exec(text)[0], text.includes("process_cpu_seconds_total"));
      };
      let printed = "";
      const write = process.stdout.write.bind(process.stdout);
      process.stdout.write = (text) => { printed += text; return write(text); };
      return { port: 7, close };`,
      ["--metrics-port", "0"],
      "metrics on",
    );
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^listening on 127\.0\.0\.1:7\nmetrics on 127\.0\.0\.1:\d+\necho_up 1 true\n$/);
  });

  it("exits with 2 if the metrics port is in use, before anything starts", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    const { code, stdout, stderr } = await run(`console.log("started");`, ["--metrics-port", `${port}`]);
    taken.close();
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("choose another with --metrics-port");
  });

  it("prints why it could not start, and exits with 1", async () => {
    const { code, stdout, stderr } = await run(`throw new Error("no seat at the table");`, []);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("echo: no seat at the table");
    const secret = await run(`throw new Error("nothing at mongodb://u:s3cret@h/");`, []);
    expect(secret.stderr).toContain("echo: nothing at mongodb://u:…@h/");
    expect(secret.stderr).not.toContain("s3cret");
  });

  it("closes a failed service, prints why, and exits with 1", async () => {
    const { code, stdout, stderr } = await run(
      `setInterval(() => {}, 1000);
      const failed = Promise.reject(new Error("another mesh lives there"));
      return { port: 7, failed, close: async () => console.log("closed") };`,
      [],
    );
    expect([code, stdout]).toEqual([1, "listening on 127.0.0.1:7\nclosed\n"]);
    expect(stderr).toContain("echo: another mesh lives there");
  });

  it("names a wrong flag and exits with 2, prints its help and exits with 0", async () => {
    const wrong = await run(listens, ["--hots", "x"]);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("--host");
    const help = await run(listens, ["--help"]);
    expect(help.code).toBe(0);
    expect(help.stdout).toContain("--log-level");
  });

  it("ends at once on a signal before it listens", async () => {
    const { code, stdout } = await run(
      `console.log("starting"); setInterval(() => {}, 1000); return new Promise(() => {});`,
      [],
      "starting",
    );
    expect([code, stdout]).toEqual([0, "starting\n"]);
  });
});
