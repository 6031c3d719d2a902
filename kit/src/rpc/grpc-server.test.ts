import { createServer } from "node:net";
import { create } from "@bufbuild/protobuf";
import {
  HealthCheckRequestSchema,
  Health as HealthService,
} from "@devicemesh/proto/es/grpc/health/v1/health_pb.ts";
import {
  credentials,
  makeGenericClientConstructor,
  type ServerUnaryCall,
  type sendUnaryData,
} from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { connectTo, listenAnywhere, readToClose } from "../../testing/socket-fixture.ts";
import { waitUntil } from "../../testing/test-helpers.ts";
import { healthCheckResponse } from "../health/health.ts";
import { PortInUseError } from "../server/port-in-use-error.ts";
import { grpcServiceDefinition } from "./grpc-js-service.ts";
import { startGrpcServer } from "./grpc-server.ts";

const definition = grpcServiceDefinition(HealthService);
const host = "127.0.0.1";

/** A grace period longer than the time limit of a test: what waits for its end fails the test. */
const endlessMs = 600_000;

/** A server whose calls end only on request. */
async function startGated(options: {
  shutdownGraceMs: number;
  onClosing?: () => void;
  connections?: { connectionsMax: number };
}) {
  const running: (() => void)[] = [];
  const server = await startGrpcServer({
    host,
    port: 0,
    ...options,
    addServices: (target) =>
      target.addService(definition, {
        check: (_: ServerUnaryCall<object, object>, callback: sendUnaryData<object>) => {
          running.push(() => callback(null, healthCheckResponse("SERVING")));
        },
      }),
  });
  return { server, running };
}

function check(address: string): Promise<unknown> {
  const Client = makeGenericClientConstructor(definition, "Health");
  const client = new Client(address, credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = definition.check!;
  const request = create(HealthCheckRequestSchema);
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, response) => {
      client.close();
      return error === null ? resolve(response) : reject(error);
    });
  });
}

describe("startGrpcServer", () => {
  it("names the address when the port is in use", async () => {
    const other = createServer();
    const port = await listenAnywhere(other);
    const failure = startGrpcServer({ host, port, shutdownGraceMs: 100, addServices: () => {} });
    await expect(failure).rejects.toBeInstanceOf(PortInUseError);
    await expect(failure).rejects.toThrow(`127.0.0.1:${port} is already in use`);
    other.close();
  });

  it("names the address when another gRPC server has the port", async () => {
    const { server } = await startGated({ shutdownGraceMs: 100 });
    await using _ = server;
    const failure = startGrpcServer({ host, port: server.port, shutdownGraceMs: 100, addServices: () => {} });
    await expect(failure).rejects.toBeInstanceOf(PortInUseError);
  });

  it("passes on any other error of listening", async () => {
    const failure = startGrpcServer({
      host: "192.0.2.1",
      port: 1234,
      shutdownGraceMs: 100,
      addServices: () => {},
    });
    await expect(failure).rejects.toMatchObject({ code: "EADDRNOTAVAIL" });
  });

  it("lets running calls finish when it closes, and accepts no new ones", async () => {
    const { server, running } = await startGated({ shutdownGraceMs: endlessMs });
    const answer = check(`${host}:${server.port}`);
    await waitUntil(() => running.length === 1);
    const closing = server.close();
    await expect(check(`${host}:${server.port}`)).rejects.toMatchObject({ code: 14 });
    running[0]!();
    await expect(answer).resolves.toMatchObject({ status: 1 });
    await closing;
  });

  it("cuts the calls that still run after the grace period", async () => {
    const { server, running } = await startGated({ shutdownGraceMs: 100 });
    const answer = check(`${host}:${server.port}`);
    await waitUntil(() => running.length === 1);
    const startMs = performance.now();
    await Promise.all([expect(answer).rejects.toMatchObject({ code: 14 }), server.close()]);
    expect(performance.now() - startMs).toBeGreaterThan(95);
  });

  it("accepts at most its limit of connections, and closes idle ones first", async () => {
    const { server, running } = await startGated({
      shutdownGraceMs: 100,
      connections: { connectionsMax: 2 },
    });
    await using _ = server;
    const answer = check(`${host}:${server.port}`);
    await waitUntil(() => running.length === 1);
    const silent = Array.from({ length: 8 }, () => connectTo(server.port));
    for (const socket of (await Promise.all(silent)).slice(0, 7)) await readToClose(socket);
    running[0]!();
    await answer;
  });

  it("closes a connection of garbage bytes, and serves the next client", async () => {
    const { server, running } = await startGated({ shutdownGraceMs: 100 });
    await using _ = server;
    for (const text of [
      "GET / HTTP/1.1\r\n\r\n",
      `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${"garbage ".repeat(99)}`,
    ]) {
      const socket = await connectTo(server.port);
      socket.write(text);
      await readToClose(socket);
    }
    const answer = check(`${host}:${server.port}`);
    await waitUntil(() => running.length === 1);
    running[0]!();
    await expect(answer).resolves.toMatchObject({ status: 1 });
  });

  it("is not blocked by a silent connection", async () => {
    const { server } = await startGated({ shutdownGraceMs: endlessMs });
    const silent = await connectTo(server.port);
    await expect(server.close()).resolves.toBeUndefined();
    silent.destroy();
  });

  it("may be closed twice, calls onClosing once, and frees the port", async () => {
    let closings = 0;
    const { server } = await startGated({
      shutdownGraceMs: 100,
      onClosing: () => {
        closings += 1;
      },
    });
    await Promise.all([server.close(), server.close()]);
    await server[Symbol.asyncDispose]();
    expect(closings).toBe(1);
    const again = await startGrpcServer({
      host,
      port: server.port,
      shutdownGraceMs: 100,
      addServices: () => {},
    });
    await again.close();
    expect(again.port).toBe(server.port);
  });
});
