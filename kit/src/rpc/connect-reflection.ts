import { fromBinary, toBinary } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import {
  ServerReflection,
  ServerReflectionRequestSchema,
  ServerReflectionResponseSchema,
} from "@devicemesh/proto/es/grpc/reflection/v1/reflection_pb.ts";
import {
  ServerReflection as ServerReflectionAlpha,
  ServerReflectionRequestSchema as ServerReflectionRequestAlphaSchema,
  ServerReflectionResponseSchema as ServerReflectionResponseAlphaSchema,
} from "@devicemesh/proto/es/grpc/reflection/v1alpha/reflection_pb.ts";
import type { Reflection } from "./reflection.ts";

/** Adds grpc.reflection.v1 and v1alpha to a Connect router. */
export function addReflectionRoutes(router: ConnectRouter, reflection: Reflection): void {
  router.service(ServerReflection, {
    async *serverReflectionInfo(requests) {
      for await (const request of requests) {
        yield reflection.answer(request);
      }
    },
  });
  router.service(ServerReflectionAlpha, {
    async *serverReflectionInfo(requests) {
      for await (const alphaRequest of requests) {
        // The two versions have the same messages under two names, so the bytes are copied.
        const request = fromBinary(
          ServerReflectionRequestSchema,
          toBinary(ServerReflectionRequestAlphaSchema, alphaRequest),
        );
        const response = toBinary(ServerReflectionResponseSchema, reflection.answer(request));
        yield fromBinary(ServerReflectionResponseAlphaSchema, response);
      }
    },
  });
}
