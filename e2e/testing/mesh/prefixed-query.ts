import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";

type Named = { deviceId: string };
type Response = { rows?: Named[]; readings?: Named[]; buckets?: { row?: Named }[] };

/**
 * A client that sees of a mesh only some devices, under a prefix that it adds and takes away, so that many random
 * streams can go through one mesh without meeting. Asking for all devices asks for those of `known`.
 */
export function createPrefixedQuery(options: {
  readonly address: string;
  readonly prefix: string;
  /** Without the prefix. */
  readonly known: ReadonlySet<string>;
}): Client<typeof QueryService> {
  const { address, prefix, known } = options;
  const rename: Interceptor = (next) => async (request) => {
    if (!request.stream) {
      const message = request.message as { deviceIds?: string[] };
      // Where nothing was sent: a name that is nobody's, since an empty list would mean everybody.
      const all = known.size > 0 ? [...known] : ["nobody"];
      const asked = message.deviceIds?.length ? message.deviceIds : all;
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
