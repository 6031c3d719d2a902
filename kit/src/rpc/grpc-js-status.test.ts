import { create, fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { BadRequestSchema, RetryInfoSchema } from "@devicemesh/proto/es/google/rpc/error_details_pb.ts";
import { type Status, StatusSchema } from "@devicemesh/proto/es/google/rpc/status_pb.ts";
import {
  HealthCheckRequestSchema,
  Health as HealthService,
} from "@devicemesh/proto/es/grpc/health/v1/health_pb.ts";
import {
  credentials,
  makeGenericClientConstructor,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceError,
  type sendUnaryData,
} from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { healthCheckResponse } from "../health/health.ts";
import { grpcServiceDefinition } from "./grpc-js-service.ts";
import { toGrpcServiceError } from "./grpc-js-status.ts";
import { startGrpcServer } from "./grpc-server.ts";
import { invalidArgument, unavailable } from "./rpc-error.ts";

const definition = grpcServiceDefinition(HealthService);

/** Returns a client's error from a server whose every method throws this. */
async function thrownThroughServer(
  error: unknown,
): Promise<{ unary: ServiceError; streaming: ServiceError }> {
  await using server = await startGrpcServer({
    host: "127.0.0.1",
    port: 0,
    shutdownGraceMs: 1000,
    addServices: (target) =>
      target.addService(definition, {
        check: (_: ServerUnaryCall<object, object>, callback: sendUnaryData<object>) =>
          callback(toGrpcServiceError(error)),
        list: (_: ServerUnaryCall<object, object>, callback: sendUnaryData<object>) =>
          callback(toGrpcServiceError(error)),
        watch: (call: ServerWritableStream<object, object>) => {
          call.write(healthCheckResponse("SERVING"));
          call.emit("error", toGrpcServiceError(error));
        },
      }),
  });
  const Client = makeGenericClientConstructor(definition, "Health");
  const client = new Client(`127.0.0.1:${server.port}`, credentials.createInsecure());
  const { check, watch } = definition as Required<typeof definition>;
  const request = create(HealthCheckRequestSchema);
  const unary = await new Promise<ServiceError>((resolve, reject) => {
    client.makeUnaryRequest(
      check!.path,
      check!.requestSerialize,
      check!.responseDeserialize,
      request,
      (failure) => (failure === null ? reject(new Error("no error came")) : resolve(failure)),
    );
  });
  const streaming = await new Promise<ServiceError>((resolve) => {
    const call = client.makeServerStreamRequest(
      watch!.path,
      watch!.requestSerialize,
      watch!.responseDeserialize,
      request,
    );
    call.on("error", (failure) => resolve(failure as ServiceError)).resume();
  });
  client.close();
  return { unary, streaming };
}

function statusOf(error: ServiceError): Status {
  const [bytes] = error.metadata.get("grpc-status-details-bin");
  return fromBinary(StatusSchema, bytes as Buffer);
}

describe("toGrpcServiceError", () => {
  it("sends code, text and details to the client of a call and of a stream", async () => {
    const violation = { field: "to", description: "is not a time – €", reason: "time.valid" };
    const { unary, streaming } = await thrownThroughServer(invalidArgument(violation));
    for (const error of [unary, streaming]) {
      expect(error).toMatchObject({ code: 3, details: "to: is not a time – €" });
      const status = statusOf(error);
      expect(status).toMatchObject({ code: 3, message: "to: is not a time – €" });
      expect(anyUnpack(status.details[0]!, BadRequestSchema)!.fieldViolations[0]).toMatchObject(violation);
    }
  });

  it("sends the delay of a retry", async () => {
    const { unary } = await thrownThroughServer(unavailable({ message: "closing", retryDelayMs: 2500 }));
    expect(anyUnpack(statusOf(unary).details[0]!, RetryInfoSchema)!.retryDelay).toMatchObject({
      seconds: 2n,
      nanos: 500_000_000,
    });
  });

  it("hides a foreign error", async () => {
    const { unary, streaming } = await thrownThroughServer(new Error("secret of the house"));
    for (const error of [unary, streaming]) {
      expect(error).toMatchObject({ code: 13, details: "internal error" });
      expect(error.metadata.get("grpc-status-details-bin")).toEqual([]);
    }
  });

  it("keeps the original for the log", () => {
    const original = new Error("secret of the house");
    expect(toGrpcServiceError(original).cause).toBe(original);
  });
});
