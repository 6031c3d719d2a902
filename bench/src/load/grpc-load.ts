// The load on our ingest: gateways that stream commit units of pre-encoded frames over gRPC, at least one unit each.
import { setTimeout as delay } from "node:timers/promises";
import { PublishReadingsResponse } from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import { Client, type ClientWritableStream, credentials } from "@grpc/grpc-js";
import { createFleet } from "./fleet.ts";
import { createFrameSource, type FrameSource } from "./frames.ts";
import { serveLoad } from "./load-process.ts";

/** The options of the load on our ingest. */
export type GrpcLoadSettings = {
  readonly port: number;
  readonly devices: number;
  /** Each has a separate connection and an equal share of the devices. */
  readonly gateways: number;
  readonly readingsPerFrame: number;
  readonly framesPerUnit: number;
  /** The second (since 1970) of the first readings. */
  readonly startSeconds: number;
  /**
   * All frames are late by up to a day, and a run ends after this number of units of each gateway. In order if left
   * out.
   */
  readonly lateUnits?: number | undefined;
  /** The rate of all gateways together; full speed if left out. */
  readonly readingsPerSecond?: number | undefined;
};

serveLoad<GrpcLoadSettings>((settings) => {
  const fleet = createFleet(settings.devices);
  const devicesEach = settings.devices / settings.gateways;
  const secondsPerFrame = settings.readingsPerFrame / devicesEach;
  if (!Number.isInteger(devicesEach) || !Number.isInteger(secondsPerFrame)) {
    throw new RangeError("gateways must divide the devices, and a gateway's devices the readings of a frame");
  }
  const gateways = Array.from({ length: settings.gateways }, (_, index) => ({
    client: new Client(`127.0.0.1:${settings.port}`, credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
      "grpc.per_rpc_retry_buffer_size": 0,
      "grpc.enable_channelz": 0,
    }),
    frames: createFrameSource({
      devices: fleet.slice(index * devicesEach, (index + 1) * devicesEach),
      secondsPerFrame,
      startSeconds: settings.startSeconds,
      templates: 64,
      seed: index + 1,
      isLate: settings.lateUnits !== undefined,
    }),
  }));
  return {
    async run(ms) {
      const endAt = performance.now() + ms;
      const counts = await Promise.all(
        gateways.map(async ({ client, frames }) => {
          let readings = 0;
          let units = 0;
          const rate = createRate(
            settings.readingsPerSecond && settings.readingsPerSecond / settings.gateways,
          );
          do {
            readings += await publishUnit(client, frames, settings.framesPerUnit, rate);
            units++;
          } while (performance.now() < endAt && units < (settings.lateUnits ?? Number.POSITIVE_INFINITY));
          return readings;
        }),
      );
      return counts.reduce((sum, count) => sum + count, 0);
    },
    close() {
      for (const { client } of gateways) client.close();
    },
  };
});

/** Waits before each frame until it is due; at once if it is late, or without a rate. */
type Rate = (readings: number) => Promise<void> | undefined;

function createRate(readingsPerSecond: number | undefined): Rate {
  if (readingsPerSecond === undefined) return () => undefined;
  let dueMs = performance.now();
  return (readings) => {
    const waitMs = dueMs - performance.now();
    dueMs += (readings / readingsPerSecond) * 1000;
    return waitMs > 1 ? delay(waitMs) : undefined;
  };
}

async function publishUnit(client: Client, frames: FrameSource, count: number, rate: Rate): Promise<number> {
  const sent = count * frames.readingsPerFrame;
  const { call, response } = openUnit(client);
  let failed = false;
  response.catch(() => {
    failed = true;
  });
  for (let frame = 0; frame < count && !failed; frame++) {
    await rate(frames.readingsPerFrame);
    if (!call.write(frames.next())) await Promise.race([drained(call), response]);
  }
  call.end();
  const { accepted, refused } = await response;
  if (accepted !== BigInt(sent) || refused !== 0n) {
    throw new Error(`of ${sent} readings, ${accepted} were accepted and ${refused} rejected`);
  }
  return sent;
}

function openUnit(client: Client): {
  call: ClientWritableStream<Buffer>;
  response: Promise<PublishReadingsResponse>;
} {
  const { promise, resolve, reject } = Promise.withResolvers<PublishReadingsResponse>();
  const call = client.makeClientStreamRequest<Buffer, PublishReadingsResponse>(
    "/devicemesh.v1.IngestService/PublishReadings",
    (bytes) => bytes,
    (bytes) => PublishReadingsResponse.decode(bytes),
    (error, response) => {
      if (error) reject(error);
      else if (response) resolve(response);
      else reject(new Error("an answer without a response"));
    },
  );
  return { call, response: promise };
}

function drained(call: ClientWritableStream<Buffer>): Promise<void> {
  return new Promise((resolve) => call.once("drain", resolve));
}
