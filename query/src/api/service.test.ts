import { Code, createClient, createRouterTransport } from "@connectrpc/connect";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { createErrorInterceptor } from "@devicemesh/kit/rpc/connect-status";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { describe, expect, it } from "vitest";
import { failureOf } from "../../testing/query-fixture.ts";
import { createCallLimits } from "./service.ts";

describe("createCallLimits", () => {
  it("rejects new calls once the server is stopping", async () => {
    const stopping = new AbortController();
    const limits = createCallLimits({ timeoutMs: 1000, callsMax: 1, stopping: stopping.signal });
    const transport = createRouterTransport(
      (router) =>
        router.service(QueryService, { getPipelineStatus: () => ({}), async *watchAggregates() {} }),
      { router: { interceptors: [createErrorInterceptor({ logger: silentLogger() }), limits] } },
    );
    const client = createClient(QueryService, transport);
    await client.getPipelineStatus({});
    stopping.abort();
    expect((await failureOf(client.getPipelineStatus({}))).code).toBe(Code.Unavailable);
    const watch = client.watchAggregates({})[Symbol.asyncIterator]();
    expect((await failureOf(watch.next())).code).toBe(Code.Unavailable);
  });
});
