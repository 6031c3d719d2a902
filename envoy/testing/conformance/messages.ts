import {
  createFileRegistry,
  type DescService,
  type FileRegistry,
  fromBinary,
  type Message,
} from "@bufbuild/protobuf";
import { type Any, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

// The suite's protos are read from its module and not copied here, so their messages have no generated types: these
// types describe the fields in use.

/** A header or trailer with its values. */
export type HeaderMessage = { readonly name: string; readonly value: readonly string[] };

/** An error that a caller requests. */
export type ErrorMessage = {
  readonly code: number;
  readonly message?: string;
  readonly details: readonly Any[];
};

/** The response that a caller requests, for both kinds of responses. */
export type ResponseDefinition = {
  readonly responseHeaders: readonly HeaderMessage[];
  readonly responseTrailers: readonly HeaderMessage[];
  readonly responseDelayMs: number;
};

/** One response message. */
export type UnaryDefinition = ResponseDefinition & {
  readonly response:
    | { readonly case: "responseData"; readonly value: Uint8Array }
    | { readonly case: "error"; readonly value: ErrorMessage }
    | { readonly case: undefined };
};

/** Response messages in order, followed by an error. */
export type StreamDefinition = ResponseDefinition & {
  readonly responseData: readonly Uint8Array[];
  readonly error?: ErrorMessage;
};

/** A request of the suite. */
export type SuiteRequest<Definition> = Message & {
  readonly responseDefinition?: Definition;
  /** Only for bidirectional streams. */
  readonly fullDuplex?: boolean;
};

/** The runner's request for a server. */
export type ServerRequest = {
  readonly useTls: boolean;
  readonly messageReceiveLimit: number;
  readonly serverCreds?: { readonly cert: Uint8Array; readonly key: Uint8Array };
};

const suitePackage = "connectrpc.conformance.v1";

/** The suite's service, by its full name. */
export const suiteServiceName = `${suitePackage}.ConformanceService`;

/** The suite's protos, from an image in bytes. */
export function suiteProtos(image: Uint8Array) {
  const registry: FileRegistry = createFileRegistry(fromBinary(FileDescriptorSetSchema, image));
  function message(name: string) {
    const found = registry.getMessage(`${suitePackage}.${name}`);
    if (!found) throw new Error(`the suite has no message ${name}`);
    return found;
  }
  const service: DescService | undefined = registry.getService(suiteServiceName);
  if (!service) throw new Error("the suite has no service");
  return { registry, message, service };
}

/** The result of `suiteProtos`. */
export type SuiteProtos = ReturnType<typeof suiteProtos>;
