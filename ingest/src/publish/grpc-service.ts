import type { IdentifyPublisher, Publisher } from "@devicemesh/identity";
import { toGrpcServiceError } from "@devicemesh/kit/rpc/grpc-js-status";
import type { GrpcCallHeaders } from "@devicemesh/kit/rpc/grpc-server";
import {
  IngestServiceService,
  type PublishReadingBatchResponse,
  type PublishReadingsResponse,
} from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import type {
  handleClientStreamingCall,
  handleUnaryCall,
  MethodDefinition,
  ServerReadableStream,
  ServerUnaryCall,
  sendUnaryData,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import type { UnitResult } from "./admission.ts";
import { type PublishDependencies, publishReadingBatch, publishReadings } from "./publish-readings.ts";

/** The name of the service in the contract. */
export const ingestServiceName = "devicemesh.v1.IngestService";

type GrpcCall =
  | ServerReadableStream<Buffer, PublishReadingsResponse>
  | ServerUnaryCall<Buffer, PublishReadingsResponse>;

/** IngestService on grpc-js. */
export type GrpcIngestService = {
  /** For `ingestServiceDefinition`. */
  readonly implementation: UntypedServiceImplementation;
  /** Rejects a call by its headers. Health and reflection are open to any client. */
  authorize(call: GrpcCallHeaders): void;
};

/** Creates the service. Any client may send if `identify` is left out. */
export function createGrpcIngestService(
  dependencies: PublishDependencies,
  identify: IdentifyPublisher | undefined,
): GrpcIngestService {
  const identityOf = identify && identifyOnce(identify);

  async function answer(
    call: GrpcCall,
    callback: sendUnaryData<PublishReadingsResponse>,
    work: (signal: AbortSignal) => Promise<UnitResult>,
  ): Promise<void> {
    const onAbandoned = (listener: () => void): void => void call.on("cancelled", listener);
    const answered = await dependencies.calls.serve({ path: call.getPath(), onAbandoned }, work);
    if (answered.kind === "response") return callback(null, answered.response);
    if (answered.kind === "abandoned") return;
    const error = toGrpcServiceError(answered.error);
    if (answered.requestId !== undefined) error.metadata?.set("x-request-id", answered.requestId);
    callback(error);
  }

  const publishStream: handleClientStreamingCall<Buffer, PublishReadingsResponse> = (call, callback) =>
    void answer(call, callback, async (signal) =>
      publishReadings(dependencies, {
        frames: call,
        publisher: identityOf?.(call),
        signal,
        // A destroyed call ends its frames, also while one is awaited.
        stop: () => call.destroy(),
      }),
    );
  const publishBatch: handleUnaryCall<Buffer, PublishReadingBatchResponse> = (call, callback) =>
    void answer(call, callback, async (signal) =>
      publishReadingBatch(dependencies, { frame: call.request, publisher: identityOf?.(call), signal }),
    );
  return {
    implementation: { publishReadings: publishStream, publishReadingBatch: publishBatch },
    authorize(call) {
      if (call.path.startsWith(`/${ingestServiceName}/`)) identityOf?.(call);
    },
  };
}

/** Identifies the sender of a call by its headers, and remembers it for the handler. */
function identifyOnce(identify: IdentifyPublisher): IdentifyPublisher {
  // The headers and the handler have two different call objects with the same metadata.
  const known = new WeakMap<object, Publisher>();
  return (call) => {
    const publisher = known.get(call.metadata) ?? identify(call);
    known.set(call.metadata, publisher);
    return publisher;
  };
}

/**
 * The contract's methods, with requests as raw bytes: the handlers decode them into columns, and report bytes that are
 * not a frame themselves.
 */
export const ingestServiceDefinition = {
  publishReadings: withRawRequests<PublishReadingsResponse>(IngestServiceService.publishReadings),
  publishReadingBatch: withRawRequests<PublishReadingBatchResponse>(IngestServiceService.publishReadingBatch),
};

function withRawRequests<Response>(
  method: Omit<MethodDefinition<never, Response>, "requestSerialize" | "requestDeserialize">,
): MethodDefinition<Buffer, Response> {
  return { ...method, requestSerialize: (bytes) => bytes, requestDeserialize: (bytes) => bytes };
}
