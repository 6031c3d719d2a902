import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { createClientSessions } from "@devicemesh/kit/rpc/client-sessions";
import { protoTimestamp } from "@devicemesh/proto";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { IngestServiceClient } from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import { Metadata, status } from "@grpc/grpc-js";
import { labNetwork } from "../machine/network.ts";
import { type DeviceIdentity, grpcCredentials } from "./senders.ts";

/** The addresses and credentials for clients of the lab's stack: a certificate for devices, a token for users. */
export type FrontDoor = {
  /** The address of each node, for devices. */
  readonly hosts: readonly string[];
  /** What the gateway `demo` presents. */
  readonly identity: DeviceIdentity;
  /** Queries with a token, at the Envoy of this node. */
  query(node: number): Client<typeof QueryService>;
};

const questionLimitMs = 30_000;
const pageLimitMs = 120_000;

/**
 * Requires that the page is the dashboard, and not the text that explains how to build it. An Envoy that has just become
 * healthy may not reach query yet: it is asked again until it does.
 * @throws Error if the page is another one, or no page comes within the limit.
 */
export async function requireDashboard(checkout: string, signal: AbortSignal): Promise<void> {
  const ca = readFileSync(join(checkout, "stack/secrets/certs/ca.pem"));
  const deadlineMs = performance.now() + pageLimitMs;
  for (;;) {
    const { code, page } = await readPage(ca).catch((error: Error) => ({ code: 503, page: error.message }));
    if (page.includes('<script type="module"')) return;
    if (code < 500 || performance.now() > deadlineMs)
      throw new Error(`the page is not the dashboard: ${code} ${page}`);
    await delay(1000, undefined, { signal });
  }
}

async function readPage(ca: Buffer): Promise<{ readonly code: number; readonly page: string }> {
  const call = request(`https://${labNetwork.addressOf(1)}/`, {
    ca,
    agent: false,
    signal: AbortSignal.timeout(questionLimitMs),
  });
  call.end();
  const [response] = (await once(call, "response")) as [IncomingMessage];
  return { code: response.statusCode ?? 0, page: await text(response) };
}

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
    hosts: Array.from({ length: nodes }, (_, place) => labNetwork.addressOf(place + 1)),
    identity: deviceIdentity(join(checkout, "stack/secrets/certs"), "gateway-demo"),
    query(node) {
      const baseUrl = `https://${labNetwork.addressOf(node)}`;
      // Each restart of Envoy ends a connection.
      const sessionManager = createClientSessions(baseUrl, {}, { ca: authority });
      const interceptors = [withToken];
      return createClient(
        QueryService,
        createGrpcTransport({ baseUrl, sessionManager, interceptors, defaultTimeoutMs: questionLimitMs }),
      );
    },
  };
}

/** The certificate and key of a device or gateway, in a folder that `stack:secrets` made. */
export function deviceIdentity(folder: string, name: string): DeviceIdentity {
  const read = (file: string): Buffer => readFileSync(join(folder, file));
  return { ca: read("ca.pem"), key: read(`${name}-key.pem`), cert: read(`${name}.pem`) };
}

/** Whether a reading of a device is acknowledged; false if the device has no permission. @throws any other error. */
export function accepts(target: string, identity: DeviceIdentity, deviceId: string): Promise<boolean> {
  const client = new IngestServiceClient(target, grpcCredentials(identity));
  return new Promise<boolean>((resolve, reject) => {
    const deadline = Date.now() + questionLimitMs;
    const call = client.publishReadings(new Metadata(), { deadline }, (error) => {
      if (!error) resolve(true);
      else if (error.code === status.PERMISSION_DENIED || error.code === status.UNAUTHENTICATED)
        resolve(false);
      else reject(error);
    });
    const measurement = { $case: "thermostat", value: { temperature: 20 } } as const;
    call.write({ readings: [{ deviceId, timestamp: protoTimestamp(Date.now()), measurement }] });
    call.end();
  }).finally(() => client.close());
}
