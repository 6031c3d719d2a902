import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { type ChannelCredentials, credentials } from "@grpc/grpc-js";
import { labNetwork } from "../machine/network.ts";

/** What clients of the lab's stack need: addresses, a certificate for devices, a token for users. */
export type FrontDoor = {
  /** host:port of each Envoy, for devices. */
  readonly deviceTargets: readonly string[];
  readonly deviceCredentials: ChannelCredentials;
  /** Queries with a token, at the Envoy of this node. */
  query(node: number): Client<typeof QueryService>;
};

const questionLimitMs = 30_000;

/** Reads credentials from `stack/secrets` of a checkout. */
export function openFrontDoor(checkout: string, nodes: number): FrontDoor {
  const read = (file: string): Buffer => readFileSync(join(checkout, "stack/secrets/certs", file));
  const authority = read("ca.pem");
  const token = read("user-reader.jwt").toString().trim();
  const withToken: Interceptor = (next) => (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
  return {
    deviceTargets: Array.from({ length: nodes }, (_, place) => `${labNetwork.addressOf(place + 1)}:8444`),
    deviceCredentials: credentials.createSsl(
      authority,
      read("gateway-demo-key.pem"),
      read("gateway-demo.pem"),
    ),
    query: (node) =>
      createClient(
        QueryService,
        createGrpcTransport({
          baseUrl: `https://${labNetwork.addressOf(node)}`,
          nodeOptions: { ca: authority },
          interceptors: [withToken],
          defaultTimeoutMs: questionLimitMs,
        }),
      ),
  };
}
