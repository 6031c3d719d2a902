import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  type FieldDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";

/**
 * For tests: four files that import each other, as bytes. `library` has services, `book` messages
 * and enums, `options` extensions of a message in `base`.
 */
export function exampleImage(): Uint8Array {
  return toBinary(
    FileDescriptorSetSchema,
    create(FileDescriptorSetSchema, { file: [libraryFile, bookFile, optionsFile, baseFile] }),
  );
}

type FieldInit = MessageInitShape<typeof FieldDescriptorProtoSchema>;

function field(name: string, number: number, extra: Partial<FieldInit> = {}): FieldInit {
  return {
    name,
    number,
    label: FieldDescriptorProto_Label.OPTIONAL,
    type: FieldDescriptorProto_Type.STRING,
    ...(extra as object),
  };
}

const header = { package: "example.v1", syntax: "proto2" };

const libraryFile = {
  ...header,
  name: "example/library.proto",
  dependency: ["example/book.proto", "example/base.proto"],
  service: [
    {
      name: "Library",
      method: [{ name: "Borrow", inputType: ".example.v1.Book", outputType: ".example.v1.Book" }],
    },
    { name: "Hidden", method: [] },
  ],
};

const bookFile = {
  ...header,
  name: "example/book.proto",
  dependency: ["example/options.proto", "example/base.proto"],
  messageType: [
    {
      name: "Book",
      field: [field("title", 1), field("novel", 2, { oneofIndex: 0 })],
      oneofDecl: [{ name: "kind" }],
      nestedType: [{ name: "Page", field: [field("number", 1)] }],
      enumType: [{ name: "Cover", value: [{ name: "COVER_HARD", number: 0 }] }],
    },
  ],
  enumType: [{ name: "Genre", value: [{ name: "GENRE_NONE", number: 0 }] }],
};

const optionsFile = {
  ...header,
  name: "example/options.proto",
  dependency: ["example/base.proto"],
  extension: [field("shelf", 1002, { extendee: ".example.v1.Extensible" })],
  messageType: [{ name: "Holder", extension: [field("row", 1001, { extendee: ".example.v1.Extensible" })] }],
};

const baseFile = {
  ...header,
  name: "example/base.proto",
  messageType: [{ name: "Extensible", extensionRange: [{ start: 1000, end: 2000 }] }],
};
