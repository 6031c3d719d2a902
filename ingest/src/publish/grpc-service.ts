import type { IdentifyPublisher, Publisher } from "@devicemesh/identity";
import { toGrpcServiceError } from "@devicemesh/kit/rpc/grpc-js-status";
import type { GrpcCallHeaders } from "@devicemesh/kit/rpc/grpc-server";
import {
  type MessageStreamHandler,
  type MessageStreams,
  respondTo,
  servedByMessages,
} from "@devicemesh/kit/rpc/grpc-streams";
import {
  IngestServiceService,
  type PublishReadingBatchResponse,
  type PublishReadingsResponse,
} from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import type {
  handleUnaryCall,
  MethodDefinition,
  ServiceError,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { type OpenCall, onCallAbort } from "./admission.ts";
import {
  type OpenUnit,
  openUnit,
  type PublishDependencies,
  publishReadingBatch,
  type UnitResult,
} from "./publish-readings.ts";

/** The name of the service in the contract. */
export const ingestServiceName = "devicemesh.v1.IngestService";

const { path: publishPath } = IngestServiceService.publishReadings;

/** IngestService on grpc-js. */
export type GrpcIngestService = {
  /** For `ingestServiceDefinition`. */
  readonly implementation: UntypedServiceImplementation;
  /** The methods of it that are served message by message. */
  readonly messageStreams: MessageStreams;
  /** Rejects a call by its headers; undefined if any client may send. Health and reflection are open to any client. */
  readonly authorize: ((call: GrpcCallHeaders) => void) | undefined;
};

/** Creates the service. Any client may send if `identify` is left out. */
export function createGrpcIngestService(
  dependencies: PublishDependencies,
  identify: IdentifyPublisher | undefined,
): GrpcIngestService {
  const identityOf = identify && identifyOnce(identify);
  const { calls } = dependencies;

  async function answer(
    open: OpenCall,
    work: () => Promise<UnitResult>,
    respond: (error: ServiceError | null, response?: PublishReadingsResponse) => void,
  ): Promise<void> {
    const answered = await calls.answer(open, work);
    if (answered.kind === "response") return respond(null, answered.response);
    if (answered.kind === "abandoned") return;
    const error = toGrpcServiceError(answered.error);
    if (answered.requestId !== undefined) error.metadata?.set("x-request-id", answered.requestId);
    respond(error);
  }

  const publishBatch: handleUnaryCall<Buffer, PublishReadingBatchResponse> = (call, callback) => {
    const open = calls.open(call.getPath());
    call.on("cancelled", () => calls.abandon(open));
    const { signal } = open;
    const work = async () =>
      publishReadingBatch(dependencies, { frame: call.request, publisher: identityOf?.(call), signal });
    void answer(open, work, callback);
  };

  const publishStream: MessageStreamHandler<Buffer> = (call) => {
    const open = calls.open(publishPath);
    const { signal } = open;
    // Of the many streams that are open for long, most wait for their first frame: they hold no unit until then.
    let unit: OpenUnit | undefined;
    let isEnding = false;

    function begun(): OpenUnit {
      const { metadata, rpc } = call;
      const publisher = identityOf?.({ metadata, getPeer: () => rpc.getPeer() });
      unit = openUnit(dependencies, { publisher, signal, onFailure: end });
      return unit;
    }
    function settle(work: () => Promise<UnitResult>): void {
      if (isEnding) return;
      isEnding = true;
      void answer(open, work, (error, response) => respondTo(call, error, response));
    }
    function end(): void {
      settle(async () => (unit ?? begun()).end());
    }
    onCallAbort(signal, end);
    if (signal.reason !== undefined) end();
    return {
      received: (frame) => (isEnding ? undefined : (unit ?? begun()).add(frame)),
      ended: end,
      failed: (error) => settle(() => Promise.reject(error)),
      cancelled: () => calls.abandon(open),
    };
  };
  return {
    implementation: { publishReadings: servedByMessages, publishReadingBatch: publishBatch },
    messageStreams: new Map([[publishPath, publishStream as MessageStreamHandler]]),
    authorize:
      identityOf &&
      ((call) => {
        if (call.path.startsWith(`/${ingestServiceName}/`)) identityOf(call);
      }),
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
