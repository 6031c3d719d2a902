import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { file_grpc_health_v1_health, Health } from "@devicemesh/proto/es/grpc/health/v1/health_pb.ts";
import {
  file_grpc_reflection_v1_reflection,
  ServerReflection,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from "@devicemesh/proto/es/grpc/reflection/v1/reflection_pb.ts";
import {
  file_grpc_reflection_v1alpha_reflection,
  ServerReflection as ServerReflectionAlpha,
} from "@devicemesh/proto/es/grpc/reflection/v1alpha/reflection_pb.ts";
import type { ServerDuplexStream } from "@grpc/grpc-js";
import { grpcServiceDefinition } from "./grpc-js-service.ts";
import type { GrpcServiceTarget } from "./grpc-server.ts";
import { createReflectionIndex, type ReflectionIndex } from "./reflection-index.ts";
import { type RpcCode, rpcCodeNumbers } from "./rpc-code.ts";

/** Answers requests of grpc.reflection.v1, and of v1alpha, which is the same on the wire. */
export type Reflection = {
  /** Always returns a response: an unknown name is an error response inside the stream, which continues. */
  answer(request: ServerReflectionRequest): ServerReflectionResponse;
};

/**
 * Creates reflection from a FileDescriptorSet in bytes, including its imports. `services` are the names in `list`, to
 * which health and reflection themselves are added; the rest of the image can still be requested.
 * @throws Error if the image lacks an import or one of the services.
 */
export function createReflection(options: {
  readonly image: Uint8Array;
  readonly services: readonly string[];
}): Reflection {
  const index = createReflectionIndex(options.image, [
    file_grpc_health_v1_health.proto,
    file_grpc_reflection_v1_reflection.proto,
    file_grpc_reflection_v1alpha_reflection.proto,
  ]);
  const unknownName = options.services.find((name) => !index.serviceNames.has(name));
  if (unknownName !== undefined) {
    throw new Error(`the image has no service ${unknownName}`);
  }
  const ownServices = [Health.typeName, ServerReflection.typeName, ServerReflectionAlpha.typeName];
  const services = [...new Set([...options.services, ...ownServices])].sort();
  return {
    answer: (request) =>
      create(ServerReflectionResponseSchema, {
        validHost: request.host,
        originalRequest: request,
        messageResponse: answerRequest(index, services, request.messageRequest),
      }),
  };
}

/** Adds grpc.reflection.v1 and v1alpha to a grpc-js server. */
export function addReflectionToGrpcServer(server: GrpcServiceTarget, reflection: Reflection): void {
  const serverReflectionInfo = (call: ReflectionCall): void => answerStream(call, reflection);
  server.addService(grpcServiceDefinition(ServerReflection), { serverReflectionInfo });
  // The two versions have the same messages under two names: one codec serves both paths.
  server.addService(grpcServiceDefinition(ServerReflection, ServerReflectionAlpha.typeName), {
    serverReflectionInfo,
  });
}

type ReflectionCall = ServerDuplexStream<ServerReflectionRequest, ServerReflectionResponse>;

type Question = ServerReflectionRequest["messageRequest"];
type Answer = NonNullable<MessageInitShape<typeof ServerReflectionResponseSchema>["messageResponse"]>;

function answerRequest(index: ReflectionIndex, services: readonly string[], question: Question): Answer {
  switch (question.case) {
    case "listServices":
      return {
        case: "listServicesResponse",
        value: { service: services.map((name) => ({ name })) },
      };
    case "fileByFilename":
      return filesAnswer(index, question.value, `file ${question.value}`);
    case "fileContainingSymbol": {
      const symbol = question.value.replace(/^\./, "");
      return filesAnswer(index, index.fileOfSymbol(symbol), `symbol ${symbol}`);
    }
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = question.value;
      const fileName = index.fileOfExtension(containingType, extensionNumber);
      return filesAnswer(index, fileName, `extension ${extensionNumber} of ${containingType}`);
    }
    case "allExtensionNumbersOfType": {
      const extensionNumber = index.extensionNumbers(question.value);
      return extensionNumber === undefined
        ? errorAnswer("NOT_FOUND", `no message ${question.value}`)
        : { case: "allExtensionNumbersResponse", value: { baseTypeName: question.value, extensionNumber } };
    }
    case undefined:
      return errorAnswer("INVALID_ARGUMENT", "the request has no known query");
  }
}

function filesAnswer(index: ReflectionIndex, fileName: string | undefined, what: string): Answer {
  const fileDescriptorProto = fileName === undefined ? undefined : index.fileClosure(fileName);
  return fileDescriptorProto === undefined
    ? errorAnswer("NOT_FOUND", `no ${what}`)
    : { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

function errorAnswer(code: RpcCode, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode: rpcCodeNumbers[code], errorMessage } };
}

/** Sends one response per request, and reads no more requests while the caller does not read responses. */
function answerStream(call: ReflectionCall, reflection: Reflection): void {
  call.on("data", (request: ServerReflectionRequest) => {
    if (!call.write(reflection.answer(request))) {
      call.pause();
      call.once("drain", () => call.resume());
    }
  });
  call.on("end", () => call.end());
}
