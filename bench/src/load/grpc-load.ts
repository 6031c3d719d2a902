// The load on our ingest: gateways that stream commit units of pre-encoded frames over gRPC, at least one unit each.
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
    }),
  }));
  return {
    async run(ms) {
      const endAt = performance.now() + ms;
      const counts = await Promise.all(
        gateways.map(async ({ client, frames }) => {
          let readings = 0;
          do {
            readings += await publishUnit(client, frames, settings.framesPerUnit);
          } while (performance.now() < endAt);
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

async function publishUnit(client: Client, frames: FrameSource, count: number): Promise<number> {
  const sent = count * frames.readingsPerFrame;
  const { call, response } = openUnit(client);
  let failed = false;
  response.catch(() => {
    failed = true;
  });
  for (let frame = 0; frame < count && !failed; frame++) {
    if (!call.write(frames.next())) await Promise.race([drained(call), response]);
  }
  call.end();
  const { accepted, refused } = await response;
  if (accepted !== BigInt(sent) || refused !== 0n) {
    throw new Error(`of ${sent} readings, ${accepted} were accepted and ${refused} refused`);
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
