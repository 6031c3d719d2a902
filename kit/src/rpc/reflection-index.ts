import { fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  type FieldDescriptorProto,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";

/** An index of a set of proto files. Each answer is undefined if the set does not have it. */
export type ReflectionIndex = {
  /** Returns the file itself and then all its direct and indirect imports, each as bytes, once. */
  fileClosure(fileName: string): Uint8Array[] | undefined;
  /**
   * Returns the file that declares this full name (no leading dot): a type, field, enum value, service, method or
   * extension.
   */
  fileOfSymbol(symbol: string): string | undefined;
  fileOfExtension(extendee: string, number: number): string | undefined;
  /** Returns the numbers of the extensions of a message, ascending; empty for a message without any. */
  extensionNumbers(extendee: string): number[] | undefined;
  readonly serviceNames: ReadonlySet<string>;
};

/**
 * Indexes a FileDescriptorSet in bytes, and those of `extraFiles` that it lacks.
 * @throws Error if an imported file is missing: the image must be built with its imports.
 */
export function createReflectionIndex(
  image: Uint8Array,
  extraFiles: readonly FileDescriptorProto[],
): ReflectionIndex {
  // If two files have the same name, the image's counts.
  const files = new Map(
    [...extraFiles, ...fromBinary(FileDescriptorSetSchema, image).file].map((file) => [file.name, file]),
  );
  const symbols = new Map<string, string>();
  const messageNames = new Set<string>();
  const serviceNames = new Set<string>();
  const extensions = new Map<string, Map<number, string>>();
  for (const file of files.values()) {
    const declarations = declarationsOf(file);
    for (const symbol of declarations.symbols) {
      symbols.set(symbol, file.name);
    }
    for (const name of declarations.messages) {
      messageNames.add(name);
    }
    for (const name of declarations.services) {
      serviceNames.add(name);
    }
    for (const { extendee, number } of declarations.extensions) {
      const known = extensions.get(extendee) ?? new Map<number, string>();
      extensions.set(extendee, known.set(number, file.name));
    }
  }
  assertClosed(files);
  const bytesOf = new Map(
    [...files].map(([name, file]) => [name, toBinary(FileDescriptorProtoSchema, file)] as const),
  );

  return {
    serviceNames,
    fileClosure: (fileName) =>
      files.has(fileName) ? [...closureNames(files, fileName)].map((name) => bytesOf.get(name)!) : undefined,
    fileOfSymbol: (symbol) => symbols.get(symbol),
    fileOfExtension: (extendee, number) => extensions.get(extendee)?.get(number),
    extensionNumbers(extendee) {
      const known = extensions.get(extendee);
      if (known === undefined) {
        return messageNames.has(extendee) ? [] : undefined;
      }
      return [...known.keys()].sort((a, b) => a - b);
    },
  };
}

type Declarations = {
  symbols: string[];
  messages: string[];
  services: string[];
  extensions: { extendee: string; number: number }[];
};

function declarationsOf(file: FileDescriptorProto): Declarations {
  const found: Declarations = { symbols: [], messages: [], services: [], extensions: [] };
  const prefix = file.package === "" ? "" : `${file.package}.`;
  for (const message of file.messageType) {
    addMessage(found, prefix, message);
  }
  for (const descriptor of file.enumType) {
    addEnum(found, prefix, descriptor);
  }
  for (const extension of file.extension) {
    addExtension(found, prefix, extension);
  }
  for (const service of file.service) {
    const name = prefix + service.name;
    found.services.push(name);
    found.symbols.push(name, ...service.method.map((method) => `${name}.${method.name}`));
  }
  return found;
}

function addMessage(found: Declarations, prefix: string, message: DescriptorProto): void {
  const name = prefix + message.name;
  found.messages.push(name);
  found.symbols.push(
    name,
    ...message.field.map((field) => `${name}.${field.name}`),
    ...message.oneofDecl.map((oneof) => `${name}.${oneof.name}`),
  );
  for (const nested of message.nestedType) {
    addMessage(found, `${name}.`, nested);
  }
  for (const nested of message.enumType) {
    addEnum(found, `${name}.`, nested);
  }
  for (const extension of message.extension) {
    addExtension(found, `${name}.`, extension);
  }
}

function addEnum(found: Declarations, prefix: string, descriptor: EnumDescriptorProto): void {
  const name = prefix + descriptor.name;
  // The scope of an enum value is that of the enum; many clients request Enum.VALUE all the same.
  found.symbols.push(
    name,
    ...descriptor.value.flatMap((value) => [prefix + value.name, `${name}.${value.name}`]),
  );
}

function addExtension(found: Declarations, prefix: string, extension: FieldDescriptorProto): void {
  found.symbols.push(prefix + extension.name);
  found.extensions.push({ extendee: extension.extendee.replace(/^\./, ""), number: extension.number });
}

function closureNames(files: ReadonlyMap<string, FileDescriptorProto>, fileName: string): Set<string> {
  const names = new Set([fileName]);
  // Iterating over a set visits entries that are added meanwhile.
  for (const name of names) {
    for (const dependency of files.get(name)!.dependency) {
      names.add(dependency);
    }
  }
  return names;
}

function assertClosed(files: ReadonlyMap<string, FileDescriptorProto>): void {
  for (const file of files.values()) {
    const missing = file.dependency.find((dependency) => !files.has(dependency));
    if (missing !== undefined) {
      throw new Error(`${file.name} imports ${missing}, which the image does not have`);
    }
  }
}
