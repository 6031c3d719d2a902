import type { ConnectRouter } from "@connectrpc/connect";
import { Health as HealthService } from "@devicemesh/proto/es/grpc/health/v1/health_pb.ts";
import { peerKey } from "../rpc/connect-handler.ts";
import { toConnectError } from "../rpc/connect-status.ts";
import { type Health, healthCheckResponse, healthListResponse } from "./health.ts";

/** Adds grpc.health.v1.Health (Check, List, Watch) to a Connect router. */
export function addHealthRoutes(router: ConnectRouter, health: Health): void {
  router.service(HealthService, {
    check(request) {
      try {
        return healthCheckResponse(health.check(request.service));
      } catch (error) {
        throw toConnectError(error);
      }
    },
    list: () => healthListResponse(health),
    async *watch(request, context) {
      try {
        for await (const status of health.watch(
          request.service,
          context.signal,
          context.values.get(peerKey),
        )) {
          yield healthCheckResponse(status);
        }
      } catch (error) {
        throw toConnectError(error);
      }
    },
  });
}
