import { Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { expect, it } from "vitest";
import { failureOf, startTestQuery } from "../../testing/query-fixture.ts";

it("rejects further watches of one connection with the name of the limit, without authentication", async () => {
  await using running = await startTestQuery({ config: { watchesPerCallerMax: 2 } });
  const { baseUrl } = running;
  const caller = new AbortController();
  const sessions = [new Http2SessionManager(baseUrl), new Http2SessionManager(baseUrl)];
  const [greedy, other] = sessions.map((sessionManager) => {
    const client = createClient(QueryService, createGrpcTransport({ baseUrl, sessionManager }));
    return (headers = {}) =>
      client.watchAggregates({}, { headers, signal: caller.signal })[Symbol.asyncIterator]().next();
  });
  await greedy!();
  await greedy!();
  const refused = await failureOf(greedy!());
  expect(refused.code).toBe(Code.ResourceExhausted);
  expect(refused.rawMessage).toMatch(/^watches of a caller: the connection 127\.0\.0\.1:\d+ has 2 open/);
  expect((await other!()).value?.snapshot).toBe(true);

  // Many callers share one connection of a proxy.
  const forwarded = { "x-forwarded-for": "10.0.0.1" };
  await greedy!(forwarded);
  await greedy!(forwarded);
  const again = await failureOf(greedy!(forwarded));
  expect(again.rawMessage).toMatch(/^watches of a caller: the address 10\.0\.0\.1 has 2 open/);
  caller.abort();
  for (const session of sessions) session.abort();
});
