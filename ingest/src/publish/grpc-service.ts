import type { IdentifyPublisher, Publisher } from "@devicemesh/identity";
import { toGrpcServiceError } from "@devicemesh/kit/rpc/grpc-js-status";
import type { GrpcCallHeaders } from "@devicemesh/kit/rpc/grpc-server";
import {
  type MessageStreamCall,
  type MessageStreamHandler,
  type MessageStreamReceiver,
  type MessageStreams,
  servedByMessages,
} from "@devicemesh/kit/rpc/message-streams";
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

  const context = { dependencies, answer };
  const publishStream: MessageStreamHandler<Buffer> = (call, headers) =>
    new StreamedUnit(context, call, identityOf?.(headers));
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

type Answer = (
  open: OpenCall,
  work: () => Promise<UnitResult>,
  respond: (error: ServiceError | null, response?: PublishReadingsResponse) => void,
) => Promise<void>;

type StreamContext = { readonly dependencies: PublishDependencies; readonly answer: Answer };

/** A stream of PublishReadings. A class, because ten thousand open streams share its functions. */
class StreamedUnit implements MessageStreamReceiver<Buffer> {
  private readonly context: StreamContext;
  private readonly call: MessageStreamCall;
  private readonly publisher: Publisher | undefined;
  private readonly open: OpenCall;
  /** Of the many streams that are open for long, most wait for their first frame: they hold no unit until then. */
  private unit: OpenUnit | undefined;
  private isEnding = false;

  constructor(context: StreamContext, call: MessageStreamCall, publisher: Publisher | undefined) {
    this.context = context;
    this.call = call;
    this.publisher = publisher;
    this.open = context.dependencies.calls.open(publishPath);
    const { signal } = this.open;
    const end = () => this.ended();
    onCallAbort(signal, end);
    if (signal.reason !== undefined) end();
  }

  received(frame: Buffer): Promise<void> | undefined {
    return this.isEnding ? undefined : this.begun().add(frame);
  }

  ended(): void {
    this.settle(async () => this.begun().end());
  }

  failed(error: unknown): void {
    this.settle(() => Promise.reject(error));
  }

  cancelled(): void {
    this.context.dependencies.calls.abandon(this.open);
  }

  private begun(): OpenUnit {
    const { publisher, open } = this;
    this.unit ??= openUnit(this.context.dependencies, {
      publisher,
      signal: open.signal,
      onFailure: () => this.ended(),
    });
    return this.unit;
  }

  private settle(work: () => Promise<UnitResult>): void {
    if (this.isEnding) return;
    this.isEnding = true;
    void this.context.answer(this.open, work, (error, response) => this.call.respond(error, response));
  }
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
