import type { IdentifyPublisher } from "@devicemesh/identity";
import {
  IngestServiceService,
  type PublishReadingBatchResponse,
  type PublishReadingsResponse,
} from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import type { MethodDefinition, UntypedServiceImplementation } from "@grpc/grpc-js";
import type { IngestConfig } from "../limits.ts";
import type { MessageLog } from "../log/message-log.ts";
import type { FrameIntake } from "./frame-intake.ts";
import type { OpenCalls } from "./open-calls.ts";
import { createPublishReadingBatch } from "./publish-reading-batch.ts";
import { createPublishReadings } from "./publish-readings.ts";
import type { ReadingCapacity } from "./reading-capacity.ts";

/** The name of the service in the contract. */
export const ingestServiceName = "devicemesh.v1.IngestService";

/** What the handlers of both methods share. */
export type IngestHandlerDependencies = {
  readonly calls: OpenCalls;
  readonly intake: FrameIntake;
  readonly log: MessageLog;
  readonly room: ReadingCapacity;
  readonly config: IngestConfig;
  /** Who sends a call; anyone may if left out. */
  readonly identityOf?: IdentifyPublisher | undefined;
};

/** The handlers of IngestService, for `ingestServiceDefinition`. */
export function createIngestService(dependencies: IngestHandlerDependencies): UntypedServiceImplementation {
  return {
    publishReadings: createPublishReadings(dependencies),
    publishReadingBatch: createPublishReadingBatch(dependencies),
  };
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
