import type { DescMethod } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import { contractJsonOf } from "@devicemesh/kit/rpc/requests/json-requests";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { createQueryService, type QueryServiceDependencies } from "./service.ts";

/** The routes of QueryService. */
export function queryRoutes(dependencies: QueryServiceDependencies): (router: ConnectRouter) => void {
  const service = createQueryService(dependencies);
  const { method } = QueryService;
  const json = ({ input }: DescMethod) => ({ jsonOptions: contractJsonOf(input) });
  return (router) => {
    router
      .rpc(method.getAggregates, service.getAggregates, json(method.getAggregates))
      .rpc(method.listBuckets, service.listBuckets, json(method.listBuckets))
      .rpc(method.listReadings, service.listReadings, json(method.listReadings))
      .rpc(method.listSeries, service.listSeries, json(method.listSeries))
      .rpc(method.listDuplicates, service.listDuplicates, json(method.listDuplicates))
      .rpc(method.getPipelineStatus, service.getPipelineStatus, json(method.getPipelineStatus))
      .rpc(method.watchAggregates, service.watchAggregates, json(method.watchAggregates))
      .rpc(method.exportReadings, service.exportReadings, json(method.exportReadings))
      .rpc(method.exportBuckets, service.exportBuckets, json(method.exportBuckets));
  };
}
