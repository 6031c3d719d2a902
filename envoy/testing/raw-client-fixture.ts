import { type ChannelCredentials, Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";

/** The result of a call: a gRPC code by number, 0 if it succeeded, and the response headers. */
export type RawOutcome = { readonly code: number; readonly details: string; readonly metadata: Metadata };

/** For tests: a gRPC client that can call any path with bytes. */
export function createRawClient(address: string, channel: ChannelCredentials = credentials.createInsecure()) {
  const client = new Client(address, channel, {
    "grpc.enable_retries": 0,
    "grpc.use_local_subchannel_pool": 1,
    "grpc.ssl_target_name_override": "localhost",
  });
  const bytes = (message: Buffer) => message;
  return {
    /** A call of one message, empty by default; the first response message of a stream is its result. */
    call(
      path: string,
      headers: Readonly<Record<string, string>> = {},
      deadlineMs = Number.POSITIVE_INFINITY,
    ): Promise<RawOutcome> {
      return new Promise((resolve) => {
        const deadline = Date.now() + deadlineMs;
        const metadata = metadataOf(headers);
        client.makeUnaryRequest(path, bytes, bytes, Buffer.alloc(0), metadata, { deadline }, (error) =>
          resolve(outcomeOf(error)),
        );
      });
    },
    /** A call that stays open: sends an empty message and continues. */
    open(path: string) {
      const call = client.makeBidiStreamRequest(path, bytes, bytes, new Metadata());
      const ended = new Promise<RawOutcome>((resolve) => {
        call.on("status", ({ code, details, metadata }) => resolve({ code, details, metadata }));
      });
      call.on("error", () => {}).resume();
      call.write(Buffer.alloc(0));
      return { ended, cancel: () => call.cancel() };
    },
    [Symbol.dispose]: () => client.close(),
  };
}

function metadataOf(headers: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return metadata;
}

function outcomeOf(error: ServiceError | null): RawOutcome {
  if (error === null) return { code: 0, details: "", metadata: new Metadata() };
  return { code: error.code, details: error.details, metadata: error.metadata };
}
