import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { systemClock } from "@devicemesh/client/clock";
import { startFakeIngest } from "@devicemesh/client/testing/fake-ingest";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { GeneratorService } from "@devicemesh/proto/es/devicemesh/v1/generator_service_pb.ts";
import { BadRequestSchema } from "@devicemesh/proto/es/google/rpc/error_details_pb.ts";
import { Health, HealthCheckResponse_ServingStatus } from "@devicemesh/proto/es/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "@devicemesh/proto/es/grpc/reflection/v1/reflection_pb.ts";
import { describe, expect, it } from "vitest";
import { runCli } from "./cli.ts";

/** Runs `serve` like the command line, on a free port unless `args` set one. */
async function startServe(...args: readonly string[]) {
  const interruption = new AbortController();
  const output = { stdout: "", stderr: "" };
  const exit = runCli({
    args: ["serve", "--port", "0", "--log-level", "silent", ...args],
    env: {},
    stdout: { write: (text) => (output.stdout += text) },
    stderr: { write: (text) => (output.stderr += text) },
    clock: systemClock,
    interrupted: interruption.signal,
  });
  await waitUntil(() => output.stdout !== "", { what: "it listens" });
  const port = Number(/^listening on 127\.0\.0\.1:(\d+)\n$/.exec(output.stdout)?.[1]);
  const transport = createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` });
  return {
    port,
    transport,
    client: createClient(GeneratorService, transport),
    /** Stops it like Ctrl-C; resolves to the exit code. */
    interrupt() {
      interruption.abort();
      return exit;
    },
    async [Symbol.asyncDispose]() {
      interruption.abort();
      await exit;
    },
  };
}

describe("generator serve", () => {
  it("simulates at once, and delivers its readings before it ends", async () => {
    await using ingest = await startFakeIngest();
    await using serve = await startServe("--devices", "4", "--interval", "50ms", "--target", ingest.target);
    await waitUntil(async () => {
      const { status } = await serve.client.getGeneratorStatus({});
      expect(status).toMatchObject({ running: true, deviceCount: 4 });
      return status!.acked > 0n;
    });
    expect(await serve.interrupt()).toBe(0);
  });

  it("rejects requests that violate the contract's rules, and bytes that are not a message", async () => {
    await using serve = await startServe("--idle");
    const error = await serve.client
      .startGenerator({ devices: 0, interval: { nanos: 1 } })
      .then(() => expect.fail("it started"), ConnectError.from);
    expect(error.code).toBe(Code.InvalidArgument);
    const violations = error
      .findDetails(BadRequestSchema)
      .flatMap(({ fieldViolations }) => fieldViolations.map(({ field, reason }) => [field, reason]));
    expect(violations).toEqual([
      ["devices", "uint32.gte_lte"],
      ["interval", "duration.gte_lte"],
    ]);
    const path = "devicemesh.v1.GeneratorService/StartGenerator";
    const response = await fetch(`http://127.0.0.1:${serve.port}/${path}`, {
      method: "POST",
      headers: { "content-type": "application/proto" },
      body: new Uint8Array([0xff]),
    });
    expect(await response.json()).toMatchObject({ code: "invalid_argument" });
    expect((await serve.client.getGeneratorStatus({})).status).toMatchObject({ running: false });
  });

  it("is idle with --idle until it is started over gRPC, and can be stopped", async () => {
    await using ingest = await startFakeIngest();
    await using serve = await startServe("--idle", "--seed", "9", "--target", ingest.target);
    expect((await serve.client.getGeneratorStatus({})).status).toMatchObject({ running: false, sent: 0n });
    const { status } = await serve.client.startGenerator({ devices: 3, interval: { nanos: 20_000_000 } });
    expect(status).toMatchObject({ running: true, deviceCount: 3, seed: 9n });
    await expect(serve.client.startGenerator({ devices: 3 })).rejects.toMatchObject({
      code: Code.AlreadyExists,
    });
    const stopped = await serve.client.stopGenerator({});
    expect(stopped.status).toMatchObject({ running: false, outbox: 0n });
    await serve.interrupt();
  });

  it("continues while ingest is unavailable, and delivers afterwards", async () => {
    const ingest = await startFakeIngest();
    const { target, port } = ingest;
    ingest.kill();
    await using serve = await startServe("--devices", "4", "--interval", "50ms", "--target", target);
    await waitUntil(async () => (await serve.client.getGeneratorStatus({})).status!.lastError !== "");
    await using _ = await startFakeIngest({ port });
    await waitUntil(async () => (await serve.client.getGeneratorStatus({})).status!.acked > 0n, {
      timeoutMs: 20_000,
    });
    expect((await serve.client.getGeneratorStatus({})).status!.dropped).toBe(0n);
    await serve.interrupt();
  });

  it("rejects a value out of bounds, and names the field", async () => {
    await using serve = await startServe("--idle");
    await expect(serve.client.startGenerator({ devices: 0 })).rejects.toMatchObject({
      code: Code.InvalidArgument,
      rawMessage: expect.stringContaining("devices"),
    });
  });

  it("has health and reflection on the same port", async () => {
    await using serve = await startServe("--idle");
    const health = await createClient(Health, serve.transport).check({
      service: "devicemesh.v1.GeneratorService",
    });
    expect(health.status).toBe(HealthCheckResponse_ServingStatus.SERVING);
    const answers = createClient(ServerReflection, serve.transport).serverReflectionInfo(
      (async function* () {
        yield { messageRequest: { case: "listServices", value: "" } } as const;
      })(),
    );
    for await (const { messageResponse } of answers) {
      if (messageResponse.case !== "listServicesResponse") throw new Error("not a list");
      const names = messageResponse.value.service.map(({ name }) => name);
      expect(names).toContain("devicemesh.v1.GeneratorService");
    }
  });

  it("exits with 2 and names the flag if the port is in use", async () => {
    await using serve = await startServe("--idle");
    let stderr = "";
    const code = await runCli({
      args: ["serve", "--idle", "--port", String(serve.port)],
      env: {},
      stdout: { write: () => {} },
      stderr: { write: (text) => (stderr += text) },
      clock: systemClock,
      interrupted: new AbortController().signal,
    });
    expect(code).toBe(2);
    expect(stderr).toContain("--port");
  });
});
