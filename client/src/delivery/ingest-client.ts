import {
  IngestServiceService,
  PublishReadingsResponse,
} from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import { RetryInfo } from "@devicemesh/proto/tsproto/google/rpc/error_details.ts";
import { Status } from "@devicemesh/proto/tsproto/google/rpc/status.ts";
import * as grpc from "@grpc/grpc-js";
import type { Clock } from "../clock.ts";
import { channelCredentials, type IngestTls } from "./ingest-tls.ts";
import type { SendResult, Unit, UnitSender } from "./unit.ts";

/**
 * Sends units to the ingest service at `target` (`host:port`), each as one stream of PublishReadings: waits for
 * back-pressure, ends the stream after the last frame, and counts a unit as acknowledged only if the response covers
 * every reading of it. An attempt fails after `deadlineMs`. It does not connect before the first unit.
 */
export function createIngestClient({
  target,
  clock,
  tls,
  deadlineMs = 30_000,
  metadata = {},
}: {
  target: string;
  clock: Clock;
  /** Cleartext if left out. */
  tls?: IngestTls | undefined;
  deadlineMs?: number;
  /** Headers of each call. */
  metadata?: Readonly<Record<string, string>>;
}): UnitSender {
  const client = new grpc.Client(target, channelCredentials(tls), channelOptions);
  return {
    send: (unit, signal) =>
      sendUnit({ client, unit, signal, metadata, deadline: clock.nowMs() + deadlineMs }),
    close: () => client.close(),
  };
}

const channelOptions: grpc.ClientOptions = {
  // With a retry buffer, write() would never report back-pressure; the outbox retries units anyway.
  "grpc.per_rpc_retry_buffer_size": 0,
  "grpc.enable_retries": 0,
  "grpc.enable_channelz": 0,
  // The outbox has its own back-off; the channel's default grows to two minutes.
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 1_000,
};

function sendUnit({
  client,
  unit,
  signal,
  metadata,
  deadline,
}: {
  client: grpc.Client;
  unit: Unit;
  signal: AbortSignal;
  metadata: Readonly<Record<string, string>>;
  deadline: number;
}): Promise<SendResult> {
  return new Promise((resolve) => {
    let settled = false;
    let written = 0;
    const call = client.makeClientStreamRequest(
      IngestServiceService.publishReadings.path,
      // Frames are already encoded.
      (frame: Buffer) => frame,
      PublishReadingsResponse.decode,
      metadataOf(metadata),
      { deadline },
      (error, response) => {
        settled = true;
        signal.removeEventListener("abort", cancel);
        resolve(error === null ? resultOf(unit, response) : failureOf(error));
        // The response came before the end of the stream: the rest of the unit is not sent.
        if (written < unit.frames.length) call.cancel();
      },
    );
    const cancel = () => call.cancel();
    if (signal.aborted) cancel();
    signal.addEventListener("abort", cancel);

    function write(): void {
      while (!settled && written < unit.frames.length) {
        const more = call.write(unit.frames[written++]!.bytes);
        if (!more && written < unit.frames.length) {
          call.once("drain", write);
          return;
        }
      }
      if (!settled) call.end();
    }
    write();
  });
}

function metadataOf(headers: Readonly<Record<string, string>>): grpc.Metadata {
  const metadata = new grpc.Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return metadata;
}

/** Returns the result of the unit from ingest's response, which must cover every reading of it. */
export function resultOf(unit: Unit, response: PublishReadingsResponse | undefined): SendResult {
  const accepted = Number(response?.accepted ?? 0n);
  const refused = Number(response?.refused ?? 0n);
  if (accepted + refused === unit.readings) {
    const { refusedReadings = [], duplicates, conflicts } = response ?? {};
    const isCounted = duplicates !== undefined && conflicts !== undefined;
    const found = isCounted ? { duplicates: Number(duplicates), conflicts: Number(conflicts) } : undefined;
    return { kind: "acked", accepted, refused, refusedReadings, found };
  }
  const message = `ingest spoke for ${accepted + refused} of ${unit.readings} readings`;
  return { kind: "failed", code: "DATA_LOSS", message, retryDelayMs: undefined };
}

function failureOf(error: grpc.ServiceError): SendResult {
  return {
    kind: "failed",
    code: grpc.status[error.code] ?? "UNKNOWN",
    message: error.details,
    retryDelayMs: retryDelayOf(error.metadata),
  };
}

function retryDelayOf(metadata: grpc.Metadata | undefined): number | undefined {
  const encoded = metadata?.get("grpc-status-details-bin")[0];
  if (!(encoded instanceof Uint8Array)) return undefined;
  try {
    const detail = Status.decode(encoded).details.find((any) =>
      any.typeUrl.endsWith("/google.rpc.RetryInfo"),
    );
    if (detail === undefined) return undefined;
    const delay = RetryInfo.decode(detail.value).retryDelay;
    return delay && Number(delay.seconds) * 1000 + delay.nanos / 1e6;
  } catch {
    // Unreadable details are ignored; code and message still describe the failure.
    return undefined;
  }
}
