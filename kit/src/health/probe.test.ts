import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { describe, expect, it } from "vitest";
import { listenAnywhere } from "../../testing/socket-fixture.ts";
import { startGrpcServer } from "../rpc/grpc-server.ts";
import { startOnePortServer } from "../server/one-port-server.ts";
import { addHealthRoutes } from "./connect-health.ts";
import { addHealthToGrpcServer, createHealth, type Health } from "./health.ts";
import { runProbe } from "./probe-cli.ts";

const host = "127.0.0.1";

/** Both kinds of servers of this project. */
const servers = {
  "grpc-js": (health: Health) =>
    startGrpcServer({
      host,
      port: 0,
      addServices: (server) => addHealthToGrpcServer(server, health),
      shutdownGraceMs: 1000,
    }),
  Connect: (health: Health) =>
    startOnePortServer({
      host,
      port: 0,
      handler: connectNodeAdapter({ routes: (router) => addHealthRoutes(router, health) }),
      shutdownGraceMs: 1000,
    }),
} as const;

describe.each(["grpc-js", "Connect"] as const)("the probe of a %s server", (kind) => {
  it("exits with 0 and no output while the server serves", async () => {
    await using server = await servers[kind](createHealth(["a.B"]));
    const silent = { exitCode: 0, stdout: "", stderr: "" };
    expect(await runProbe([`${host}:${server.port}`])).toEqual(silent);
    expect(await runProbe([`${host}:${server.port}`, "a.B"])).toEqual(silent);
  });

  it("exits with 1 and a line that names the service that does not serve", async () => {
    const health = createHealth(["a.B", "a.C"]);
    health.setServing(false, "a.B");
    await using server = await servers[kind](health);
    const address = `${host}:${server.port}`;
    expect(await runProbe([address])).toMatchObject({ exitCode: 0 });
    expect(await runProbe([address, "a.B"])).toEqual({
      exitCode: 1,
      stdout: `a.B at ${address} is NOT_SERVING\n`,
      stderr: "",
    });
    health.setServing(false);
    expect(await runProbe([address])).toMatchObject({
      exitCode: 1,
      stdout: `${address} is NOT_SERVING\n`,
    });
  });

  it("exits with 0 while the server answers at all, if requested", async () => {
    const health = createHealth(["a.B"]);
    health.setServing(false);
    await using server = await servers[kind](health);
    const address = `${host}:${server.port}`;
    expect(await runProbe([address, "--answering"])).toMatchObject({ exitCode: 0 });
    expect(await runProbe([address, "no.Such", "--answering"])).toMatchObject({ exitCode: 1 });
    await server.close();
    expect(await runProbe([address, "--answering"])).toMatchObject({ exitCode: 1 });
  });

  it("exits with 1 for a service that the server does not have", async () => {
    await using server = await servers[kind](createHealth([]));
    const outcome = await runProbe([`${host}:${server.port}`, "no.Such"]);
    expect(outcome).toMatchObject({ exitCode: 1, stderr: "" });
    expect(outcome.stdout).toContain('it has no service "no.Such"');
  });
});

describe("the probe", () => {
  it("exits with 1 if no server listens", async () => {
    const server = createServer();
    const port = await listenAnywhere(server);
    server.close();
    await once(server, "close");
    const outcome = await runProbe([`${host}:${port}`]);
    expect(outcome.exitCode).toBe(1);
    expect(outcome.stdout).toMatch(/ECONNREFUSED.*\n$/);
    expect(outcome.stdout.split("\n")).toHaveLength(2);
  });

  it("has a time limit for a server that does not answer", async () => {
    const server = createServer();
    const port = await listenAnywhere(server);
    expect(await runProbe([`${host}:${port}`, "--timeout", "100ms"])).toEqual({
      exitCode: 1,
      stdout: `${host}:${port}: no answer in 100 ms\n`,
      stderr: "",
    });
    server.close();
  });

  it("exits with 1 if the server is not a gRPC server", async () => {
    const server = createServer((socket) => socket.end("220 hello\r\n").on("error", () => {}));
    const port = await listenAnywhere(server);
    expect(await runProbe([`${host}:${port}`])).toMatchObject({ exitCode: 1 });
    server.close();
  });

  it.each([
    [[], "no address was given"],
    [["ingest"], '"ingest" is not an address'],
    [["ingest:0"], '"ingest:0" is not an address'],
    [["http://ingest:50051"], "is not an address"],
    [["a:1", "b", "c"], '"c"'],
    [["a:1", "--timeout", "soon"], "--timeout"],
    [["a:1", "--tiemout", "1s"], "--timeout"],
  ])("exits with 2 for the arguments %j", async (args, reported) => {
    const outcome = await runProbe(args);
    expect(outcome.exitCode).toBe(2);
    expect(outcome.stderr).toContain(reported);
  });

  it("ends as a process without a signal, with the exit code", async () => {
    await using server = await servers.Connect(createHealth([]));
    const main = fileURLToPath(new URL("probe-main.ts", import.meta.url));
    const run = async (...args: readonly string[]) => {
      // The environment of its container is for the service, not for the probe.
      const child = spawn(process.execPath, [main, ...args], { env: { DEVICEMESH_PORT: "x" } });
      return ((await once(child, "close")) as [number])[0];
    };
    expect(await run(`${host}:${server.port}`)).toBe(0);
    expect(await run(`${host}:${server.port}`, "no.Such")).toBe(1);
    expect(await run("--help")).toBe(0);
    expect(await run()).toBe(2);
  });
});
