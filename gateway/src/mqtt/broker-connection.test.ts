import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { createTestAuthority } from "@devicemesh/identity/testing/test-credentials";
import { expect, it, onTestFinished } from "vitest";
import { openBrokerConnection } from "./broker-connection.ts";

const { signal } = new AbortController();

/** Starts a broker with a certificate for localhost and 127.0.0.1; returns the names that clients asked for. */
async function startTlsBroker() {
  const authority = await createTestAuthority();
  const names: unknown[] = [];
  const { key, certificate: cert } = authority.server;
  const server = createServer({ key, cert });
  server.on("tlsClientError", () => {});
  server.on("secureConnection", (socket: TLSSocket) => {
    names.push(socket.servername);
    socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { port, names, ca: authority.certificate };
}

it("connects over TLS to a name and to an address, and asks for no address by name", async () => {
  const { port, names, ca } = await startTlsBroker();
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on("warning", onWarning);
  onTestFinished(() => void process.off("warning", onWarning));
  for (const host of ["localhost", "127.0.0.1"]) {
    const socket = await openBrokerConnection({ host, port, tls: { ca } }, 60_000, signal);
    onTestFinished(() => void socket.destroy());
  }
  await expect.poll(() => names, { timeout: 60_000 }).toEqual(["localhost", false]);
  expect(warnings).toEqual([]);
});

it("rejects a broker whose certificate is of another CA", async () => {
  const { port } = await startTlsBroker();
  const ca = (await createTestAuthority()).certificate;
  for (const host of ["localhost", "127.0.0.1"]) {
    const opening = openBrokerConnection({ host, port, tls: { ca } }, 60_000, signal);
    await expect(opening).rejects.toThrow("certificate");
  }
});
