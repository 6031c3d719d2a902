import type { DescMessage, Message } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  createContextKey,
  type HandlerContext,
  type Interceptor,
} from "@connectrpc/connect";
import type { IdentifyPublisher, Publisher } from "@devicemesh/identity";
import type { Logger } from "@devicemesh/kit/observability/logger";
import { addByContentType } from "@devicemesh/kit/rpc/by-content-type";
import { peerKey } from "@devicemesh/kit/rpc/connect-handler";
import { createRequestGate, requestIdHeader, toConnectError } from "@devicemesh/kit/rpc/connect-status";
import { contractJsonOf } from "@devicemesh/kit/rpc/requests/json-requests";
import { malformedText } from "@devicemesh/kit/rpc/requests/request-validation";
import { IngestService } from "@devicemesh/proto/es/devicemesh/v1/ingest_service_pb.ts";
import type { PublishReadingsResponse } from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import type { CallSignal } from "./admission.ts";
import { framesOfMessages } from "./connect-frames.ts";
import { frameBytes, frameSchemaOf } from "./frame-messages.ts";
import {
  malformedFrame,
  type PublishDependencies,
  publishReadingBatch,
  publishReadings,
  type UnitResult,
} from "./publish-readings.ts";

/** The options of a server's calls. */
export type ConnectCalls = {
  /** The interceptors of every call. */
  readonly interceptors?: readonly Interceptor[] | undefined;
  /** Receives each call that is rejected by its headers. */
  readonly onRejected?: ((context: HandlerContext, error: ConnectError) => void) | undefined;
};

/** Adds IngestService to a router. */
export type ConnectRoutes = (router: ConnectRouter, calls?: ConnectCalls) => void;

const publisherKey = createContextKey<Publisher | undefined>(undefined, { description: "publisher" });

/**
 * IngestService over Connect, gRPC and gRPC-Web, in protobuf and JSON: the same units, checks, limits and responses as
 * on grpc-js. Needs the context of `createConnectHandler`. Any client may send if `identityOf` is left out.
 */
export function createConnectIngestRoutes(
  dependencies: PublishDependencies,
  { identityOf, logger }: { readonly identityOf: IdentifyPublisher | undefined; readonly logger: Logger },
): ConnectRoutes {
  async function answer(
    context: HandlerContext,
    work: (signal: CallSignal, publisher: Publisher | undefined) => Promise<UnitResult>,
  ): Promise<PublishReadingsResponse> {
    const { signal, values } = context;
    const { calls } = dependencies;
    const call = calls.open(`/${context.service.typeName}/${context.method.name}`);
    const abandon = () => calls.abandon(call);
    if (signal.aborted) abandon();
    else signal.addEventListener("abort", abandon, { once: true });
    const answered = await calls.answer(call, () => work(call.signal, values.get(publisherKey)));
    if (answered.kind === "response") return answered.response;
    if (answered.kind === "abandoned") throw abandonedError(signal);
    const error = toConnectError(answered.error);
    if (answered.requestId !== undefined) error.metadata.set(requestIdHeader, answered.requestId);
    throw error;
  }

  const publishStream =
    (schema: DescMessage) => (messages: AsyncIterable<Message>, context: HandlerContext) =>
      answer(context, async (signal, publisher) =>
        publishReadings(dependencies, { ...framesOfMessages(schema, messages), publisher, signal }),
      );
  const publishBatch = (schema: DescMessage) => (message: Message, context: HandlerContext) =>
    answer(context, async (signal, publisher) => {
      const malformed = malformedText(context.values);
      if (malformed !== undefined) throw malformedFrame(0, malformed);
      return publishReadingBatch(dependencies, { frame: frameBytes(schema, message), publisher, signal });
    });

  return (router, { interceptors = [], onRejected } = {}) => {
    const gate = async (context: HandlerContext): Promise<void> => {
      context.values.set(publisherKey, identityOf?.(identifiedCall(context)));
    };
    const options = {
      interceptors: [...interceptors],
      readMaxBytes: dependencies.config.receiveBytesMax,
      requestGate: createRequestGate(gate, { logger, onRejected }),
    };
    const { publishReadings: stream, publishReadingBatch: batch } = IngestService.method;
    const [streamFrame, batchFrame] = [frameSchemaOf(stream.input), frameSchemaOf(batch.input)];
    const json = (schema: DescMessage) => ({ ...options, jsonOptions: contractJsonOf(schema) });
    addByContentType(router, {
      protobuf: () => router.rpc({ ...stream, input: streamFrame }, publishStream(streamFrame), options),
      json: () => router.rpc(stream, publishStream(stream.input), json(stream.input)),
    });
    addByContentType(router, {
      protobuf: () => router.rpc({ ...batch, input: batchFrame }, publishBatch(batchFrame), options),
      json: () => router.rpc(batch, publishBatch(batch.input), json(batch.input)),
    });
  };
}

function identifiedCall({ values, requestHeader }: HandlerContext): Parameters<IdentifyPublisher>[0] {
  return {
    getPeer: () => values.get(peerKey),
    metadata: {
      get(key) {
        const value = requestHeader.get(key);
        return value === null ? [] : [value];
      },
    },
  };
}

/** The cause of the end of a call that no client waits for, for example its deadline, or the shutdown of the server. */
function abandonedError({ reason }: AbortSignal): ConnectError {
  return reason instanceof ConnectError ? reason : new ConnectError("the client is gone", Code.Canceled);
}
