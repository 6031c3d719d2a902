import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { QueryService } from "../gen/devicemesh/v1/query_service_pb.ts";

/** A client of a mesh. */
export type Mesh = Client<typeof QueryService>;

/** The address of the mesh, such as `https://127.0.0.1:8443`, and the user's token; an empty one is not sent. */
export type MeshOptions = { readonly address: string; readonly token: string };

/** Creates a client of the mesh. It sends nothing before the first call. */
export function createMesh({ address, token }: MeshOptions): Mesh {
  const showToken: Interceptor = (next) => (request) => {
    if (token !== "") request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
  return createClient(QueryService, createConnectTransport({ baseUrl: address, interceptors: [showToken] }));
}
