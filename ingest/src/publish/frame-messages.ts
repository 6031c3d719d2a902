import { create, createFileRegistry, type DescMessage, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { IngestService } from "@devicemesh/proto/es/devicemesh/v1/ingest_service_pb.ts";

/**
 * The request messages of IngestService by their type names, without any field: all that a client sends are unknown
 * fields of them, which protobuf keeps as bytes. So Connect decodes them without looking into a reading, and ingest
 * itself decides what is wrong with it, as it does over gRPC.
 */
const frameSchemas = createFrameSchemas();

/** The message that stands for a request message of IngestService. */
export function frameSchemaOf(request: DescMessage): DescMessage {
  const schema = frameSchemas.getMessage(request.typeName);
  if (schema === undefined) throw new Error(`${request.typeName} is not a request of ingest`);
  return schema;
}

/** The bytes of a decoded request, as its client sent them or in the form that it would have. */
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
