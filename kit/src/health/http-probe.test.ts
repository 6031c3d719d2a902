import { createServer } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { listenAnywhere } from "../../testing/socket-fixture.ts";
import { runProbe } from "./probe-cli.ts";

/** A server that answers /up with 204, /down with 503, and no other path. */
async function startServer(): Promise<string> {
  const server = createServer(({ url }, response) => {
    if (url === "/up") response.writeHead(204).end();
    if (url === "/down") response.writeHead(503).end("later");
  });
  const port = await listenAnywhere(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${port}`;
}

describe("the probe of an HTTP resource", () => {
  it("exits with 0 for 2xx, and with 1 and the reason for anything else", async () => {
    const address = await startServer();
    expect(await runProbe([address, "--http", "/up"])).toEqual({ exitCode: 0, stdout: "", stderr: "" });
    expect(await runProbe([address, "--http", "/down"])).toEqual({
      exitCode: 1,
      stdout: `http://${address}/down: status 503\n`,
      stderr: "",
    });
    expect(await runProbe([address, "--http", "/silent", "--timeout", "50ms"])).toEqual({
      exitCode: 1,
      stdout: `http://${address}/silent: no answer in 50 ms\n`,
      stderr: "",
    });
  });

  it("exits with 1 if no server listens", async () => {
    expect(await runProbe(["127.0.0.1:1", "--http", "/up"])).toMatchObject({
      exitCode: 1,
      stdout: expect.stringContaining("ECONNREFUSED"),
    });
  });
});
