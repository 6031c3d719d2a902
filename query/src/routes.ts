import type { ConnectRouter } from "@connectrpc/connect";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { createQueryService, type QueryServiceDependencies } from "./service.ts";

/**
 * The routes of QueryService. `callTimeoutMaxMs` is the longest deadline that a client of a unary call may
 * ask for; a watch may last as long as its client likes.
 */
export function queryRoutes(
  dependencies: QueryServiceDependencies,
  { callTimeoutMaxMs }: { readonly callTimeoutMaxMs?: number } = {},
): (router: ConnectRouter) => void {
  const service = createQueryService(dependencies);
  const { method } = QueryService;
  const unary = callTimeoutMaxMs === undefined ? {} : { maxTimeoutMs: callTimeoutMaxMs };
  return (router) => {
    router
      .rpc(method.getAggregates, service.getAggregates, unary)
      .rpc(method.listBuckets, service.listBuckets, unary)
      .rpc(method.listReadings, service.listReadings, unary)
      .rpc(method.listSeries, service.listSeries, unary)
      .rpc(method.getPipelineStatus, service.getPipelineStatus, unary)
      .rpc(method.watchAggregates, service.watchAggregates);
  };
}
