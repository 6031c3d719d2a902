import type { ConnectRouter } from "@connectrpc/connect";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { createQueryService, type QueryServiceDependencies } from "./service.ts";

/** The routes of QueryService. */
export function queryRoutes(dependencies: QueryServiceDependencies): (router: ConnectRouter) => void {
  const service = createQueryService(dependencies);
  return (router) => {
    router.service(QueryService, service);
  };
}
