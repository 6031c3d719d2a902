import { ConnectError, createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { type Logger, silentLogger } from "@devicemesh/kit/observability/logger";
import type { DeviceMessage } from "@devicemesh/proto";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { BadRequestSchema } from "@devicemesh/proto/es/google/rpc/error_details_pb.ts";
import { readContractImage } from "@devicemesh/proto/image";
import { type QueryConfig, queryConfig } from "../src/limits.ts";
import { type QueryDependencies, startQuery } from "../src/start.ts";
import type { ReadingStore } from "../src/store/reading-store.ts";
import { createMemoryReadingStore } from "./memory-store/memory-reading-store.ts";

/** For tests: the time at which all of them begin. */
export const testNowMs = Date.UTC(2026, 10, 23, 20, 4, 22);

/** Query over a memory store on a free port, with a clock that a test controls. */
export async function startTestQuery(
  options: {
    readonly config?: Partial<QueryConfig>;
    readonly dependencies?: Partial<QueryDependencies>;
    /** Wraps the memory store for the service. */
    readonly wrap?: (store: ReadingStore) => ReadingStore;
    readonly logger?: Logger;
  } = {},
) {
  let nowMs = testNowMs;
  const clock = () => nowMs;
  const memory = createMemoryReadingStore({ clock });
  const query = await startQuery(
    queryConfig({ port: 0, watchIntervalMs: 1, shutdownGraceMs: 500, ...options.config }),
    {
      store: options.wrap ? options.wrap(memory.store) : memory.store,
      clock,
      logger: options.logger ?? silentLogger(),
      image: readContractImage(),
      ...options.dependencies,
    },
  );
  const baseUrl = `http://127.0.0.1:${query.port}`;
  return {
    memory,
    query,
    baseUrl,
    client: createClient(QueryService, createConnectTransport({ baseUrl, httpVersion: "1.1" })),
    advance(ms: number) {
      nowMs += ms;
    },
    [Symbol.asyncDispose]: () => query.close(),
  };
}

/** A transport of each protocol over each version of HTTP that it supports. */
export function transportsOf(baseUrl: string): [string, Transport][] {
  return [
    ["Connect, HTTP/1.1", createConnectTransport({ baseUrl, httpVersion: "1.1" })],
    [
      "Connect, HTTP/1.1, JSON, GET",
      createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false, useHttpGet: true }),
    ],
    ["Connect, HTTP/2", createConnectTransport({ baseUrl, httpVersion: "2" })],
    ["gRPC, HTTP/2", createGrpcTransport({ baseUrl })],
    ["gRPC-Web, HTTP/1.1", createGrpcWebTransport({ baseUrl, httpVersion: "1.1" })],
    ["gRPC-Web, HTTP/2", createGrpcWebTransport({ baseUrl, httpVersion: "2" })],
  ];
}

/** A temperature, `offsetMs` after the time of all tests. */
export function temperature(deviceId: string, offsetMs = 0, value = 21.5): DeviceMessage {
  return { deviceId, sensor: "temperature", timestampMs: testNowMs + offsetMs, value };
}

/** A store whose reads end only by their signal. `waiting` counts those in progress. */
export function stuckStore(store: ReadingStore): ReadingStore & { readonly waiting: number } {
  let waiting = 0;
  return {
    ...store,
    readHorizon(signal) {
      waiting++;
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => {
          waiting--;
          reject(signal.reason);
        });
      });
    },
    get waiting() {
      return waiting;
    },
  };
}

/** The error of a call that must fail. */
export async function failureOf(call: Promise<unknown>): Promise<ConnectError> {
  try {
    await call;
  } catch (error) {
    return ConnectError.from(error);
  }
  throw new Error("the call succeeded");
}

/** The fields and rules in an error. */
export function violationsOf(error: ConnectError): { field: string; reason: string }[] {
  return error
    .findDetails(BadRequestSchema)
    .flatMap(({ fieldViolations }) => fieldViolations.map(({ field, reason }) => ({ field, reason })));
}
