import type { IdentifyPublisher } from "@devicemesh/identity";
import { toGrpcServiceError } from "@devicemesh/kit/rpc/grpc-js-status";
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
import type { UnitResult } from "./commit-unit.ts";
import type { PublishDependencies } from "./publish-dependencies.ts";
import { publishReadingBatch } from "./publish-reading-batch.ts";
import { publishReadings } from "./publish-readings.ts";

/** The name of the service in the contract. */
export const ingestServiceName = "devicemesh.v1.IngestService";

type GrpcCall =
  | ServerReadableStream<Buffer, PublishReadingsResponse>
  | ServerUnaryCall<Buffer, PublishReadingsResponse>;

/** IngestService on grpc-js, for `ingestServiceDefinition`. Any client may send if `identityOf` is left out. */
export function createGrpcIngestService(
  dependencies: PublishDependencies,
  identityOf: IdentifyPublisher | undefined,
): UntypedServiceImplementation {
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
  return { publishReadings: publishStream, publishReadingBatch: publishBatch };
}

/**
 * The contract's methods, with requests left as bytes: the handlers decode them into columns, and say
 * themselves what is wrong with bytes that are no frame.
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
