import { create, createFileRegistry, type DescMessage, toBinary } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import { IngestService } from "@devicemesh/proto/es/devicemesh/v1/ingest_service_pb.ts";

/**
 * The request messages of IngestService by their type names, with each reading left as bytes. On the wire they are the
 * messages of the contract. Connect can decode them without looking into a reading, so that the checks of ingest decide
 * what is wrong with it, as they do over gRPC.
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
    messageType: [publishReadings.input, publishReadingBatch.input].map(({ name, field: { readings } }) => ({
      name,
      field: [
        {
          name: readings.name,
          number: readings.number,
          type: FieldDescriptorProto_Type.BYTES,
          label: FieldDescriptorProto_Label.REPEATED,
        },
      ],
    })),
  });
  return createFileRegistry(file, () => undefined);
}
