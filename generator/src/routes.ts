import type { ConnectRouter } from "@connectrpc/connect";
import { GeneratorService } from "@devicemesh/proto/es/devicemesh/v1/generator_service_pb.ts";
import type { Generator } from "./generator.ts";
import { createGeneratorService } from "./service.ts";

/** The routes of GeneratorService. The router needs kit's error interceptor, which translates RpcErrors. */
export function generatorRoutes(generator: Generator): (router: ConnectRouter) => void {
  return (router) => {
    router.service(GeneratorService, createGeneratorService(generator));
  };
}
