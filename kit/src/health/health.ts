import { create } from "@bufbuild/protobuf";
import {
  type HealthCheckRequest,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus,
  HealthCheckResponseSchema,
  type HealthListRequest,
  type HealthListResponse,
  HealthListResponseSchema,
  Health as HealthService,
} from "@devicemesh/proto/es/grpc/health/v1/health_pb.ts";
import type { ServerUnaryCall, ServerWritableStream, sendUnaryData } from "@grpc/grpc-js";
import { grpcServiceDefinition } from "../rpc/grpc-js-service.ts";
import { toGrpcServiceError } from "../rpc/grpc-js-status.ts";
import type { GrpcServiceTarget } from "../rpc/grpc-server.ts";
import { RpcError, resourceExhausted } from "../rpc/rpc-error.ts";

export type ServingStatus = "SERVING" | "NOT_SERVING";

/** What a watcher receives; SERVICE_UNKNOWN for a name that the server does not have. */
export type WatchedStatus = ServingStatus | "SERVICE_UNKNOWN";

/** The state behind grpc.health.v1.Health. The name "" is the server as a whole. */
export type Health = {
  /**
   * Sets one service, or all of them and "" if none is named.
   * @throws Error for a name that was not passed to `createHealth`, which is a bug.
   */
  setServing(serving: boolean, service?: string): void;
  /** @throws RpcError NOT_FOUND for an unknown name. */
  check(service: string): ServingStatus;
  /**
   * Returns the status at once and then each change, until the signal or `close` ends it. A slow reader receives the
   * latest status and skips those in between. `peer` is the `address:port` of the connection.
   * @throws RpcError RESOURCE_EXHAUSTED past `healthWatchersMax` watchers, or `connectionHealthWatchersMax` of one
   *   connection.
   */
  watch(service: string, signal: AbortSignal, peer: string): AsyncIterable<WatchedStatus>;
  /** Every known name with its status, "" included. */
  list(): ReadonlyMap<string, ServingStatus>;
  /** Sets everything to NOT_SERVING permanently, notifies the watchers and ends them, so that a server can stop. */
  close(): void;
};

/** Maximum number of concurrent watchers of one server: each holds a stream open. */
export const healthWatchersMax = 1000;

/** Maximum number of concurrent watchers of one connection; a proxy's connection has the watchers of many clients. */
export const connectionHealthWatchersMax = 32;

/** Creates the state for these services and ""; all start as serving. */
export function createHealth(serviceNames: readonly string[]): Health {
  const statuses = new Map<string, ServingStatus>(["", ...serviceNames].map((name) => [name, "SERVING"]));
  const wakers = new Set<() => void>();
  const watchersOf = new Map<string, number>();
  let closed = false;

  const wakeAll = (): void => {
    for (const wake of [...wakers]) {
      wake();
    }
  };
  const setServing = (serving: boolean, service?: string): void => {
    if (service !== undefined && !statuses.has(service)) {
      throw new Error(`health knows no service ${JSON.stringify(service)}`);
    }
    for (const name of service === undefined ? [...statuses.keys()] : [service]) {
      statuses.set(name, serving && !closed ? "SERVING" : "NOT_SERVING");
    }
    wakeAll();
  };

  return {
    setServing,
    check(service) {
      const status = statuses.get(service);
      if (status === undefined) {
        throw new RpcError({ code: "NOT_FOUND", message: "unknown service" });
      }
      return status;
    },
    list: () => new Map(statuses),
    close() {
      setServing(false);
      closed = true;
      wakeAll();
    },
    async *watch(service, signal, peer) {
      const ofPeer = watchersOf.get(peer) ?? 0;
      if (wakers.size >= healthWatchersMax) {
        throw resourceExhausted({ subject: "health watchers", description: `at most ${healthWatchersMax}` });
      }
      if (ofPeer >= connectionHealthWatchersMax) {
        throw resourceExhausted({
          subject: "health watchers of one connection",
          description: `at most ${connectionHealthWatchersMax}`,
        });
      }
      watchersOf.set(peer, ofPeer + 1);
      let wake = (): void => {};
      const waker = (): void => wake();
      wakers.add(waker);
      signal.addEventListener("abort", waker);
      try {
        let reported: WatchedStatus | undefined;
        while (!signal.aborted) {
          const status = statuses.get(service) ?? "SERVICE_UNKNOWN";
          if (status !== reported) {
            reported = status;
            yield status;
          } else if (closed) {
            return;
          } else {
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          }
        }
      } finally {
        signal.removeEventListener("abort", waker);
        wakers.delete(waker);
        const left = (watchersOf.get(peer) ?? 1) - 1;
        if (left === 0) watchersOf.delete(peer);
        else watchersOf.set(peer, left);
      }
    },
  };
}

/** Adds grpc.health.v1.Health (Check, List, Watch) to a grpc-js server. */
export function addHealthToGrpcServer(server: GrpcServiceTarget, health: Health): void {
  server.addService(grpcServiceDefinition(HealthService), {
    check(
      call: ServerUnaryCall<HealthCheckRequest, HealthCheckResponse>,
      callback: sendUnaryData<HealthCheckResponse>,
    ) {
      try {
        callback(null, healthCheckResponse(health.check(call.request.service)));
      } catch (error) {
        callback(toGrpcServiceError(error));
      }
    },
    list(
      _call: ServerUnaryCall<HealthListRequest, HealthListResponse>,
      callback: sendUnaryData<HealthListResponse>,
    ) {
      callback(null, healthListResponse(health));
    },
    watch(call: ServerWritableStream<HealthCheckRequest, HealthCheckResponse>) {
      void answerWatch(call, health);
    },
  });
}

/** The response with a status. */
export function healthCheckResponse(status: WatchedStatus): HealthCheckResponse {
  return create(HealthCheckResponseSchema, { status: HealthCheckResponse_ServingStatus[status] });
}

/** The response with every status. */
export function healthListResponse(health: Health): HealthListResponse {
  const statuses = [...health.list()].map(([name, status]) => [name, healthCheckResponse(status)] as const);
  return create(HealthListResponseSchema, { statuses: Object.fromEntries(statuses) });
}

async function answerWatch(
  call: ServerWritableStream<HealthCheckRequest, HealthCheckResponse>,
  health: Health,
): Promise<void> {
  const abort = new AbortController();
  call.once("cancelled", () => abort.abort());
  try {
    for await (const status of health.watch(call.request.service, abort.signal, call.getPeer())) {
      if (!call.write(healthCheckResponse(status)) && !abort.signal.aborted) {
        await drained(call, abort.signal);
      }
    }
    call.end();
  } catch (error) {
    call.emit("error", toGrpcServiceError(error));
  }
}

function drained(call: ServerWritableStream<unknown, unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      call.off("drain", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    call.on("drain", done);
    signal.addEventListener("abort", done);
  });
}
