import {
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";

/** Returns the definition of a protobuf-es service for grpc-js. For small services: it is not optimized. */
export function grpcServiceDefinition(service: DescService, typeName = service.typeName): ServiceDefinition {
  return Object.fromEntries(
    service.methods.map((method) => [method.localName, methodDefinition(method, typeName)]),
  );
}

function methodDefinition(method: DescMethod, serviceName: string): MethodDefinition<object, object> {
  const request = messageCodec(method.input);
  const response = messageCodec(method.output);
  return {
    path: `/${serviceName}/${method.name}`,
    originalName: method.localName,
    requestStream: method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming",
    responseStream: method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming",
    requestSerialize: request.serialize,
    requestDeserialize: request.deserialize,
    responseSerialize: response.serialize,
    responseDeserialize: response.deserialize,
  };
}

function messageCodec<Desc extends DescMessage>(schema: Desc) {
  return {
    serialize: (message: object): Buffer => Buffer.from(toBinary(schema, message as MessageShape<Desc>)),
    deserialize: (bytes: Buffer): object => fromBinary(schema, bytes),
  };
}
