import { once } from "node:events";
import type { Socket } from "node:net";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { startSocketServer } from "@devicemesh/kit/server/socket-server";
import { createTlsTermination } from "@devicemesh/kit/server/tls-termination";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { beforeAll, describe, expect, it } from "vitest";
import { createTestAuthority, type TestAuthority } from "../../testing/test-credentials.ts";

// Tests of kit's TLS termination. They are here because this workspace makes certificates.
describe("createTlsTermination", () => {
  let ca: TestAuthority;
  beforeAll(async () => {
    ca = await createTestAuthority();
  });

  function terminationOf(clientCa: string | undefined) {
    const errors: unknown[] = [];
    const { key, certificate } = ca.server;
    const tls = createTlsTermination({
      key,
      certificate,
      clientCa,
      protocols: ["h2"],
      onError: (error) => errors.push(error),
    });
    return { tls, errors };
  }

  async function start(clientCa?: string) {
    const { tls, errors } = terminationOf(clientCa);
    const secured: TLSSocket[] = [];
    const server = await startSocketServer({
      host: "127.0.0.1",
      port: 0,
      limits: { connectionsMax: 10, addressConnectionsMax: 10, loopbackConnectionsMax: 10 },
      isBusy: () => true,
      shutdownGraceMs: 0,
      accept: tls.terminate((socket) => secured.push(socket)),
      drain() {},
      onError() {},
    });
    /** Connects, and returns the address by which the server knows the connection. */
    async function open(options: ConnectionOptions = {}): Promise<{ address: string; socket: Socket }> {
      const before = secured.length;
      const socket = connect({
        host: "127.0.0.1",
        port: server.port,
        ca: ca.certificate,
        servername: "localhost",
        ALPNProtocols: ["h2"],
        ...options,
      });
      await once(socket, "secureConnect");
      await waitUntil(() => secured.length > before);
      return { address: `127.0.0.1:${socket.localPort}`, socket };
    }
    return { ...server, tls, errors, open };
  }

  it("reports verified peers, rejected ones with the reason, and peers without a certificate", async () => {
    await using server = await start(ca.certificate);
    const good = await ca.client("spiffe://devicemesh/device/oven");
    const foreign = await (await createTestAuthority()).client("spiffe://devicemesh/device/oven");
    const old = await ca.client("spiffe://devicemesh/device/oven", { notAfterMs: Date.now() - 1000 });
    const peerOf = async (pair?: typeof good) =>
      server.tls.peerOf((await server.open(pair && { key: pair.key, cert: pair.certificate })).address);
    expect(await peerOf()).toEqual({ kind: "none" });
    expect(await peerOf(good)).toMatchObject({
      kind: "verified",
      certificate: expect.any(Buffer) as unknown,
    });
    expect(await peerOf(foreign)).toEqual({
      kind: "refused",
      reason: expect.stringMatching(/SIGNATURE|ISSUER|VERIFY/) as unknown,
    });
    expect(await peerOf(old)).toEqual({ kind: "refused", reason: "CERT_HAS_EXPIRED" });
  });

  it("requests no certificate without a CA", async () => {
    await using server = await start();
    const { key, certificate } = await ca.client("spiffe://devicemesh/device/oven");
    const { address } = await server.open({ key, cert: certificate });
    expect(server.tls.peerOf(address)).toEqual({ kind: "none" });
  });

  it("returns nothing for a closed connection, and for one that never existed", async () => {
    await using server = await start(ca.certificate);
    const { address, socket } = await server.open();
    expect(server.tls.peerOf(address)).toBeDefined();
    socket.destroy();
    await waitUntil(() => server.tls.peerOf(address) === undefined);
    expect(server.tls.peerOf("127.0.0.1:1")).toBeUndefined();
  });

  it("rejects other protocols and old TLS", async () => {
    await using server = await start(ca.certificate);
    await expect(server.open({ ALPNProtocols: ["spdy/1"] })).rejects.toThrow();
    await expect(server.open({ maxVersion: "TLSv1.1", minVersion: "TLSv1.1" })).rejects.toThrow();
    await waitUntil(() => server.errors.length > 0);
  });

  it("rejects at once a key that does not match the certificate", async () => {
    const { key } = await ca.client("spiffe://devicemesh/device/oven");
    expect(() =>
      createTlsTermination({ key, certificate: ca.server.certificate, protocols: ["h2"] }),
    ).toThrow();
  });
});
