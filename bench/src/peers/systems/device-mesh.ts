import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { freePorts } from "@devicemesh/engines/plans/free-ports";
import { protoTimestamp, sensors } from "@devicemesh/proto";
import { GroupBy } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import {
  PublishReadingsRequest,
  PublishReadingsResponse,
} from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import type { Reading } from "@devicemesh/proto/tsproto/devicemesh/v1/reading.ts";
import { Client, credentials } from "@grpc/grpc-js";
import packageJson from "../../../../package.json" with { type: "json" };
import { measurementOf } from "../../load/frames.ts";
import { startFlags } from "../../servers/start-flags.ts";
import type { PeerOptions, StorePeer } from "../peer.ts";
import { diskBytes, startPeerProcess } from "../processes.ts";
import type { PeerAnswer, PeerQuestion } from "../questions.ts";
import { type BenchReading, batchesOf } from "../readings.ts";

/** Device Mesh as `npm start` runs it, with an empty store and without simulated devices. */
export async function startDeviceMesh({ folder }: PeerOptions): Promise<StorePeer> {
  const [ingestPort, queryPort] = await freePorts(2);
  const program = fileURLToPath(import.meta.resolve("@devicemesh/standalone/main"));
  const query = createClient(QueryService, createGrpcTransport({ baseUrl: `http://127.0.0.1:${queryPort}` }));
  const server = await startPeerProcess({
    command: process.execPath,
    args: [
      ...startFlags,
      program,
      ...["--data", folder, "--ingest-port", String(ingestPort), "--query-port", String(queryPort)],
      "--no-generator",
    ],
    async ready() {
      await query.getPipelineStatus({});
      return true;
    },
  });
  const ingest = new Client(`127.0.0.1:${ingestPort}`, credentials.createInsecure());
  return {
    version: `Device Mesh ${packageJson.version}`,
    settings: "defaults of `npm start`; units of 100 frames with 100 readings, over gRPC",
    durable: true,
    batchSize: readingsPerFrame * framesPerUnit,
    send: (readings) => publishUnit(ingest, readings),
    async settle() {
      const nowMs = Date.now();
      for (;;) {
        const { coverage } = await query.getAggregates({ groupBy: GroupBy.SENSOR, deviceIds: ["none"] });
        if (Number(coverage?.frontier?.seconds ?? 0) * 1000 >= nowMs) return;
        await delay(200);
      }
    },
    async ask({ sensor, deviceId, sinceMs, toMs }: PeerQuestion): Promise<PeerAnswer> {
      const { rows } = await query.getAggregates({
        since: protoTimestamp(sinceMs),
        to: protoTimestamp(toMs),
        sensors: [sensor],
        ...(deviceId === undefined ? { groupBy: GroupBy.SENSOR } : { deviceIds: [deviceId] }),
      });
      const [row] = rows;
      if (!row) return { count: 0 };
      const { count, average, minimum, maximum } = row;
      return { count: Number(count), average: average!, minimum: minimum!, maximum: maximum! };
    },
    cpuMs: server.cpuMs,
    memoryMib: server.memoryMib,
    diskBytes: () => diskBytes(folder),
    async [Symbol.asyncDispose]() {
      ingest.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

const readingsPerFrame = 100;
const framesPerUnit = 100;

/** Publishes readings as one commit unit. @throws Error if one is rejected. */
async function publishUnit(client: Client, readings: readonly BenchReading[]): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<PublishReadingsResponse>();
  const call = client.makeClientStreamRequest<PublishReadingsRequest, PublishReadingsResponse>(
    "/devicemesh.v1.IngestService/PublishReadings",
    (request) => Buffer.from(PublishReadingsRequest.encode(request).finish()),
    (bytes) => PublishReadingsResponse.decode(bytes),
    (error, response) => (error ? reject(error) : resolve(response!)),
  );
  promise.catch(() => {});
  for (const frame of batchesOf(readings, readingsPerFrame)) {
    const more = call.write({ readings: frame.map(readingOf) });
    if (!more) await Promise.race([new Promise((drained) => call.once("drain", drained)), promise]);
  }
  call.end();
  const { accepted } = await promise;
  if (accepted !== BigInt(readings.length)) {
    throw new Error(`of ${readings.length} readings, ${accepted} were accepted`);
  }
}

const sensorCodes = new Map(sensors.map(({ sensor }, code) => [sensor, code]));

function readingOf({ deviceId, sensor, timestampMs, value }: BenchReading): Reading {
  return {
    deviceId,
    timestamp: {
      seconds: BigInt(Math.floor(timestampMs / 1000)),
      nanos: (timestampMs % 1000) * 1_000_000,
    },
    measurement: measurementOf(sensorCodes.get(sensor)!, value),
  };
}
