import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { deviceIds } from "@devicemesh/query/oracle";

type Named = { deviceId: string };
type Response = { rows?: Named[]; readings?: Named[]; buckets?: { row?: Named }[] };

/**
 * A client that sees of a mesh only the devices of the oracle's streams, under a prefix that it adds and takes
 * away, so that many random streams can go through one mesh without meeting. Asking for all devices asks for
 * all of these.
 */
export function createPrefixedQuery(address: string, prefix: string): Client<typeof QueryService> {
  const rename: Interceptor = (next) => async (request) => {
    if (!request.stream) {
      const message = request.message as { deviceIds?: string[] };
      const asked = message.deviceIds?.length ? message.deviceIds : deviceIds;
      if (message.deviceIds) message.deviceIds = asked.map((id) => `${prefix}${id}`);
    }
    const response = await next(request);
    if (!response.stream) {
      const { rows = [], readings = [], buckets = [] } = response.message as Response;
      const named = [...rows, ...readings, ...buckets.flatMap(({ row }) => (row ? [row] : []))];
      for (const one of named) {
        if (one.deviceId !== "") one.deviceId = one.deviceId.slice(prefix.length);
      }
    }
    return response;
  };
  return createClient(
    QueryService,
    createGrpcTransport({ baseUrl: `http://${address}`, interceptors: [rename] }),
  );
}
