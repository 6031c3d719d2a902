import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { IdentifyPublisher } from "@devicemesh/identity";
import { addHealthToGrpcServer, createHealth } from "@devicemesh/kit/health/health";
import { closeOnce } from "@devicemesh/kit/lifetime/close-once";
import type { Logger } from "@devicemesh/kit/observability/logger";
import type { Metrics } from "@devicemesh/kit/observability/metrics";
import { startGrpcServer } from "@devicemesh/kit/rpc/grpc-server";
import { addReflectionToGrpcServer, createReflection } from "@devicemesh/kit/rpc/reflection";
import type { UnfinishedRequests } from "@devicemesh/kit/rpc/requests/incomplete-requests";
import type { AddressOf } from "@devicemesh/kit/rpc/requests/rejected-requests";
import type { TlsTermination } from "@devicemesh/kit/server/tls-termination";
import { createSensorCatalog, type SensorCatalog } from "@devicemesh/proto";
import type { ServerOptions } from "@grpc/grpc-js";
import {
  type AdmitOlder,
  type AdmitSeries,
  createBatchMemory,
  createReadingChecks,
} from "./checks/reading-checks.ts";
import { createCounters, type IngestStats } from "./counters.ts";
import type { IngestConfig } from "./limits.ts";
import type { MessageLog } from "./log/message-log.ts";
import { registerIngestMetrics } from "./metrics.ts";
import { createAppendAdmission, createOpenCalls } from "./publish/admission.ts";
import { type ConnectRoutes, createConnectIngestRoutes } from "./publish/connect-routes.ts";
import {
  createGrpcIngestService,
  ingestServiceDefinition,
  ingestServiceName,
} from "./publish/grpc-service.ts";
import { createPublishInProcess, type PublishInProcess } from "./publish/publish-in-process.ts";
import { createFrameIntake } from "./publish/publish-readings.ts";
import { createFrameDecoder } from "./wire/frame-decoder.ts";
import { createDeviceIds } from "./wire/wire.ts";

/** The dependencies of ingest. The caller owns the log: close it after ingest. */
export type IngestDependencies = {
  readonly log: MessageLog;
  /** Ms since 1970. */
  readonly clock: () => number;
  readonly logger: Logger;
  /** The contract as a FileDescriptorSet in bytes, for reflection. */
  readonly image: Uint8Array;
  /**
   * Readings with an earlier timestamp (ms since 1970) are rejected; called for each frame, which fails with the
   * RpcError that it throws. No bound if left out.
   */
  readonly retainedSinceMs?: () => number;
  /** Decides whether a reading may create a series; all may if left out. */
  readonly admitSeries?: AdmitSeries | undefined;
  /** Decides whether a reading that may be a duplicate is accepted; all are if left out. */
  readonly admitOlder?: AdmitOlder | undefined;
  /** The accepted sensors; the built-in catalog if left out. */
  readonly catalog?: SensorCatalog | undefined;
  /** The initial health; true if left out. */
  readonly serving?: boolean;
  /** Returns the id of a failed call for the log and the response; random by default. */
  readonly createRequestId?: () => string;
  /**
   * Identifies the sender of a call: its readings of devices that it may not send for are rejected. Anyone may send if
   * left out.
   */
  readonly identityOf?: IdentifyPublisher | undefined;
  /** Serves TLS; cleartext if left out. */
  readonly tls?: TlsTermination | undefined;
  /** The addresses of services that ingest does not have, for clients that call them here. */
  readonly addressOf?: AddressOf | undefined;
  /** The incomplete requests of the process, if it has more than one server. */
  readonly unfinished?: UnfinishedRequests | undefined;
  /** The registry for ingest's metrics; none if left out. */
  readonly metrics?: Metrics | undefined;
};

/** Ingest, listening. */
export type Ingest = AsyncDisposable & {
  readonly port: number;
  /** Serves the same service on a Connect router too; see `createConnectIngestRoutes`. */
  readonly routes: ConnectRoutes;
  /** The counts since its start, over all protocols. */
  stats(): IngestStats;
  /** PublishReadingBatch for the other parts of this process. */
  readonly publishInProcess: PublishInProcess;
  /** Sets the health: false while the log is unavailable. No effect once it is closing. */
  setServing(serving: boolean): void;
  /**
   * Reports NOT_SERVING, answers new streams with UNAVAILABLE, lets open units finish within `shutdownGraceMs`, cuts
   * the others with UNAVAILABLE, and frees the port. Closing again has no effect.
   */
  close(): Promise<void>;
};

/**
 * Starts ingest.
 * @throws PortInUseError if the port is in use.
 */
export async function startIngest(config: IngestConfig, dependencies: IngestDependencies): Promise<Ingest> {
  const { clock, logger, image, retainedSinceMs, createRequestId = randomUUID } = dependencies;
  const { tls, metrics, addressOf, unfinished, admitSeries, admitOlder } = dependencies;
  const { identityOf } = dependencies;
  const catalog = dependencies.catalog ?? createSensorCatalog();
  const counters = createCounters();
  const calls = createOpenCalls({ counters, logger, createRequestId, retryDelayMs: config.retryDelayMs });
  const memory = createBatchMemory();
  const intake = createFrameIntake({
    decode: createFrameDecoder({ deviceIds: createDeviceIds(), catalog }),
    check: createReadingChecks({ catalog, memory }),
    clock,
    retainedSinceMs,
    admitSeries,
    admitOlder,
    unitReadingsMax: config.unitReadingsMax,
    counters,
  });
  const stats = (): IngestStats => ({
    ...counters,
    openStreams: calls.size,
    readingsInFlight: admission.readings,
  });
  let isLogReachable = dependencies.serving ?? true;
  const timed =
    metrics && registerIngestMetrics(metrics, { stats, isLogReachable: () => isLogReachable }).timed;
  const admission = createAppendAdmission({
    log: timed?.(dependencies.log) ?? dependencies.log,
    readingsMax: config.readingsInFlightMax,
    release: memory.release,
  });
  const publishing = { calls, intake, admission, config };
  const grpcService = createGrpcIngestService(publishing, identityOf);
  const health = createHealth([ingestServiceName]);
  health.setServing(isLogReachable);
  const reflection = createReflection({ image, services: [ingestServiceName] });
  const server = await startGrpcServer({
    host: config.host,
    port: config.port,
    options: serverOptions(config),
    connections: config.connections,
    tls,
    metrics,
    addressOf,
    unfinished,
    authorize: grpcService.authorize,
    messageStreams: grpcService.messageStreams,
    addServices(grpcServer) {
      grpcServer.addService(ingestServiceDefinition, grpcService.implementation);
      addHealthToGrpcServer(grpcServer, health);
      addReflectionToGrpcServer(grpcServer, reflection);
    },
    onClosing: () => health.close(),
    // Units have had their time by then; the rest are streams of reflection.
    shutdownGraceMs: 100,
  });

  const close = closeOnce(async () => {
    health.setServing(false);
    const drained = calls.drain();
    const grace = new AbortController();
    await Promise.race([drained, delay(config.shutdownGraceMs, undefined, grace).catch(() => {})]);
    grace.abort();
    calls.cut();
    await drained;
    await server.close();
  });
  return {
    port: server.port,
    routes: createConnectIngestRoutes(publishing, { identityOf, logger }),
    stats,
    publishInProcess: createPublishInProcess(publishing),
    setServing(serving) {
      isLogReachable = serving;
      if (!close.isClosing) health.setServing(serving);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function serverOptions(config: IngestConfig): ServerOptions {
  return {
    "grpc.max_concurrent_streams": config.connectionStreamsMax,
    "grpc.max_receive_message_length": config.receiveBytesMax,
    "grpc.keepalive_time_ms": config.keepaliveIntervalMs,
    "grpc.keepalive_timeout_ms": config.keepaliveTimeoutMs,
  };
}
