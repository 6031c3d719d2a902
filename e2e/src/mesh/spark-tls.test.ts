import { once } from "node:events";
import { createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { openWindowSession } from "@devicemesh/aggregator";
import { createTestAuthority } from "@devicemesh/identity/testing/test-credentials";
import { expect, it } from "vitest";

/** A server over TLS that counts requests and answers none. */
async function startServer() {
  const authority = await createTestAuthority();
  const { certificate: cert, key } = authority.server;
  const seen: string[] = [];
  const server = createSecureServer({ cert, key }, ({ headers }, response) => {
    seen.push(String(headers.authorization));
    response.writeHead(200, { "content-type": "application/grpc" });
    response.addTrailers({ "grpc-status": "12" });
    response.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { authority, seen, address: `127.0.0.1:${port}`, [Symbol.dispose]: () => server.close() };
}

const names = { topicPrefix: "", database: "test", token: "secret" };

it("the aggregator sends its token to Spark Connect over TLS, only with the CA of --spark-ca", async () => {
  using server = await startServer();
  const { address, authority, seen } = server;
  await using trusting = openWindowSession({ ...names, address, tls: { ca: authority.certificate } });
  await expect(trusting.sparkVersion()).rejects.toThrow();
  expect(seen).toEqual(["Bearer secret"]);
  const other = await createTestAuthority();
  await using untrusting = openWindowSession({ ...names, address, tls: { ca: other.certificate } });
  await expect(untrusting.sparkVersion()).rejects.toThrow(/certificate/);
  await using clear = openWindowSession({ ...names, address });
  await expect(clear.sparkVersion()).rejects.toThrow();
  expect(seen).toHaveLength(1);
});
