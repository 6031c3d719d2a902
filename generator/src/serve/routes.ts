import type { ConnectRouter } from "@connectrpc/connect";
import { contractJsonOf } from "@devicemesh/kit/rpc/requests/json-requests";
import { GeneratorService } from "@devicemesh/proto/es/devicemesh/v1/generator_service_pb.ts";
import type { Generator } from "../generator.ts";
import { createGeneratorService } from "./service.ts";

/** Returns the routes of GeneratorService. The router needs kit's error interceptor, which translates RpcErrors. */
export function generatorRoutes(generator: Generator): (router: ConnectRouter) => void {
  return (router) => {
    const service = createGeneratorService(generator);
    const { startGenerator, stopGenerator, getGeneratorStatus } = GeneratorService.method;
    router
      .rpc(startGenerator, service.startGenerator, { jsonOptions: contractJsonOf(startGenerator.input) })
      .rpc(stopGenerator, service.stopGenerator)
      .rpc(getGeneratorStatus, service.getGeneratorStatus);
  };
}
