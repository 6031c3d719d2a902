import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { GeneratorService } from "@devicemesh/proto/es/devicemesh/v1/generator_service_pb.ts";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { signal } from "@preact/signals";
import { createServerClock } from "./server-clock.ts";

/** The token of calls; empty if there is none. It is kept only in memory, until the page closes. */
export const token = signal("");

const clock = createServerClock();

/** The server's time in ms since 1970, estimated from its answers. */
export function serverNowMs(): number {
  return clock.nowMs(Date.now());
}

const withToken: Interceptor = (next) => async (request) => {
  if (token.value !== "") request.header.set("authorization", `Bearer ${token.value}`);
  const sentMs = Date.now();
  const response = await next(request);
  if (!response.stream) {
    const answeredMs = Date.parse(response.header.get("date") ?? "");
    clock.observe({ sentMs, receivedMs: Date.now(), answeredMs });
  }
  return response;
};

/** The transport of calls to the origin of the page. */
export const transport = createConnectTransport({
  baseUrl: location.origin,
  useBinaryFormat: true,
  interceptors: [withToken],
});

/** The client of query, at the origin of the page. */
export const query: Client<typeof QueryService> = createClient(QueryService, transport);

/** The client of the generator's control, at the origin of the page. */
export const generator: Client<typeof GeneratorService> = createClient(GeneratorService, transport);

/** The headers of a call without a generated client. */
export function callHeaders(): Record<string, string> {
  return token.peek() === "" ? {} : { authorization: `Bearer ${token.peek()}` };
}
