import { existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { temporaryFolder, waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { runMain, startMesh } from "../testing/mesh-process.ts";

// Each test starts processes, which takes half a minute at a load of 20.
describe("npm start", { timeout: 300_000 }, () => {
  it("shows its flags, their defaults and their environment variables with --help", async () => {
    const { code, output } = await runMain(["--help"]);
    expect(code).toBe(0);
    for (const word of [
      "--ingest-port",
      "50051",
      "DEVICEMESH_QUERY_PORT",
      "8080",
      "--replay",
      "--cors-origin",
    ]) {
      expect(output).toContain(word);
    }
  });

  it("names every wrong flag at once, and starts nothing", async () => {
    const { code, output } = await runMain([
      "--ingest-prot",
      "1",
      "--query-port",
      "eighty",
      "--devices",
      "0",
    ]);
    expect(code).toBe(2);
    expect(output).toContain("--ingest-prot");
    expect(output).toContain("--ingest-port");
    expect(output).toContain("--query-port");
    expect(output).toContain("--devices");
  });

  it("names the retention flags that contradict each other", async () => {
    using folder = temporaryFolder();
    const { code, output } = await runMain(["--data", folder.path, "--retain-10s", "1d"]);
    expect(code).toBe(1);
    expect(output).toContain("--retain-10s must be at least as long as --retain-raw");
  });

  it("does not listen beyond this machine without authentication, and names both solutions", async () => {
    using folder = temporaryFolder();
    const ports = ["--ingest-port", "0", "--query-port", "0", "--data", folder.path];
    const { code, output } = await runMain([...ports, "--host", "0.0.0.0"]);
    expect(code).toBe(1);
    expect(output).toContain("--jwks and --device-ca");
    expect(output).toContain("--insecure-beyond-loopback");
    const mesh = await startMesh(folder.path, ["--host", "0.0.0.0", "--insecure-beyond-loopback"]);
    expect(await mesh.stop()).toBe(0);
  });

  it("names contradicting identity flags, and a missing file", async () => {
    using folder = temporaryFolder();
    const start = (...flags: readonly string[]) => runMain(["--data", folder.path, ...flags]);
    const [half, missing] = [await start("--server-cert", "a.pem"), await start("--jwks", "nowhere.json")];
    expect([half.code, missing.code]).toEqual([1, 1]);
    expect(half.output).toContain("--server-cert and --server-key need each other");
    expect(missing.output).toMatch(/--jwks: .*nowhere\.json/);
  });

  it("rejects a recording that cannot be replayed before anything starts", async () => {
    using folder = temporaryFolder();
    const data = join(folder.path, "data");
    const { code, output } = await runMain(["--data", data, "--replay", "missing.csv"]);
    expect(code).toBe(2);
    expect(output).toContain("--replay: missing.csv cannot be read: there is no such file");
    expect(existsSync(data)).toBe(false);
  });

  it("names --query-port instead of --port, and reports a missing -- after npm start", async () => {
    const port = await runMain(["--port", "9"]);
    expect(port).toMatchObject({ code: 2, output: expect.stringContaining("did you mean --query-port?") });
    const taken = await runMain(["3"], { npm_config_devices: "true" });
    expect(taken).toMatchObject({ code: 2, output: expect.stringContaining("npm start -- [flags]") });
  });

  it("simulates no devices beside a replay", async () => {
    using folder = temporaryFolder();
    const file = join(folder.path, "one.csv");
    writeFileSync(file, "device_id,timestamp,sensor,value\na,2026-01-01T00:00:00Z,temperature,21\n");
    const mesh = await startMesh(join(folder.path, "data"), ["--replay", file]);
    await mesh.until(/1 stored\n +1 values in all/);
    expect(mesh.output()).toContain("none simulated beside --replay");
    expect(await mesh.stop()).toBe(0);
  });

  it("names the flag to use if a port is in use", async () => {
    using folder = temporaryFolder();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const ingest = await runMain(["--ingest-port", `${port}`, "--query-port", "0", "--data", folder.path]);
    const query = await runMain(["--ingest-port", "0", "--query-port", `${port}`, "--data", folder.path]);
    server.close();
    expect([ingest.code, query.code]).toEqual([1, 1]);
    expect(ingest.output).toMatch(new RegExp(`127\\.0\\.0\\.1:${port}.*--ingest-port`));
    expect(query.output).toMatch(new RegExp(`127\\.0\\.0\\.1:${port}.*--query-port`));
  });

  it("prints the id of the process that uses the data folder if a second one starts", async () => {
    using folder = temporaryFolder();
    const mesh = await startMesh(folder.path);
    const { code, output } = await runMain([
      "--ingest-port",
      "0",
      "--query-port",
      "0",
      "--data",
      folder.path,
    ]);
    expect(code).toBe(1);
    expect(output).toContain(`process id ${mesh.child.pid}`);
    expect(output).toContain("--data");
    expect(await mesh.stop()).toBe(0);
  });

  it("ends cleanly with Ctrl-C during a simulation, and starts again on the same data", async () => {
    using folder = temporaryFolder();
    const mesh = await startMesh(folder.path, ["--devices", "40"]);
    expect(mesh.output()).toContain("40 simulated");
    expect(mesh.output()).toContain("(empty)");
    expect(mesh.output()).toMatch(new RegExp(`^open http://${mesh.query}/\n`));
    // A reading every 10 s of the last 24 hours.
    expect(mesh.output()).toContain("their last 24 hours were sent first: 345,600 readings");
    const count = async () => {
      const answer = await fetch(`http://${mesh.query}/devicemesh.v1.QueryService/GetPipelineStatus`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: "{}",
      });
      return Number(
        ((await answer.json()) as { status: { storedReadings?: string } }).status.storedReadings ?? 0,
      );
    };
    await waitUntil(async () => (await count()) > 345_600, { what: "readings are stored" });
    expect(await mesh.stop()).toBe(0);
    expect(mesh.output()).toContain("everything acknowledged is stored");
    const again = await startMesh(folder.path);
    expect(again.output()).toMatch(/holds [\d,]+ readings of [\d,]+ series, the last of them stored 20/);
    expect(await again.stop()).toBe(0);
  });
});
