import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";

type Named = { deviceId: string };
type Response = { rows?: Named[]; readings?: Named[]; buckets?: { row?: Named }[] };

/**
 * A client that sees only some devices of a mesh, under a prefix that it adds and removes, so that many random streams
 * can share one mesh. A query for all devices queries those of `known`.
 */
export function createPrefixedQuery(options: {
  readonly address: string;
  readonly prefix: string;
  /** Without the prefix. */
  readonly known: ReadonlySet<string>;
}): Client<typeof QueryService> {
  const { address, prefix, known } = options;
  function addPrefix(message: { deviceIds?: string[] }): void {
    // If nothing was sent: a name that no device has, because an empty list would mean all devices.
    const all = known.size > 0 ? [...known] : ["no-such-device"];
    const asked = message.deviceIds?.length ? message.deviceIds : all;
    if (message.deviceIds) message.deviceIds = asked.map((id) => `${prefix}${id}`);
  }
  function removePrefix({ rows = [], readings = [], buckets = [] }: Response): void {
    const named = [...rows, ...readings, ...buckets.flatMap(({ row }) => (row ? [row] : []))];
    for (const one of named) {
      if (one.deviceId !== "") one.deviceId = one.deviceId.slice(prefix.length);
    }
  }
  const rename: Interceptor = (next) => async (request) => {
    if (!request.stream) addPrefix(request.message as { deviceIds?: string[] });
    const response = await next(
      request.stream ? { ...request, message: changed(request.message, addPrefix) } : request,
    );
    if (response.stream) return { ...response, message: changed(response.message, removePrefix) };
    removePrefix(response.message as Response);
    return response;
  };
  return createClient(
    QueryService,
    createGrpcTransport({ baseUrl: `http://${address}`, interceptors: [rename] }),
  );
}

/** Changes the messages of a stream in place. */
async function* changed<T>(messages: AsyncIterable<T>, change: (message: never) => void): AsyncIterable<T> {
  for await (const message of messages) {
    change(message as never);
    yield message;
  }
}
