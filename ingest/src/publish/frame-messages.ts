import { create, createFileRegistry, type DescMessage, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { IngestService } from "@devicemesh/proto/es/devicemesh/v1/ingest_service_pb.ts";

/**
 * The request messages of IngestService by their type names, without any field: everything that a client sends is in
 * unknown fields, which protobuf keeps as bytes. Therefore Connect decodes them without parsing a reading, and ingest
 * itself finds the problems, like over gRPC.
 */
const frameSchemas = createFrameSchemas();

/** Returns the placeholder of a request message of IngestService. */
export function frameSchemaOf(request: DescMessage): DescMessage {
  const schema = frameSchemas.getMessage(request.typeName);
  if (schema === undefined) throw new Error(`${request.typeName} is not a request of ingest`);
  return schema;
}

/** Returns the bytes of a decoded request, in the client's encoding or an equivalent one. */
export function frameBytes(schema: DescMessage, message: Parameters<typeof toBinary>[1]): Buffer {
  const bytes = toBinary(schema, message);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function createFrameSchemas() {
  const { publishReadings, publishReadingBatch } = IngestService.method;
  const file = create(FileDescriptorProtoSchema, {
    name: "ingest/frame_messages.proto",
    package: "devicemesh.v1",
    syntax: "proto3",
    messageType: [publishReadings.input, publishReadingBatch.input].map(({ name }) => ({ name })),
  });
  return createFileRegistry(file, () => undefined);
}
