import { setTimeout as delay } from "node:timers/promises";
import { PublishReadingBatchResponse } from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import { Client, credentials } from "@grpc/grpc-js";
import { createFleet } from "../load/fleet.ts";
import { createFrameSource } from "../load/frames.ts";

const connections = 10;
const readingsPerUnit = 100;
const tickMs = 10;

/**
 * Sends units of 100 readings at a steady rate, whether the last ones are answered or not, and resolves to the time
 * that each took, in ms.
 */
export async function measureUnitLatency(options: {
  readonly port: number;
  readonly readingsPerSecond: number;
  readonly ms: number;
  /** The second (since 1970) of the first readings. */
  readonly startSeconds: number;
}): Promise<readonly number[]> {
  const { port, readingsPerSecond, ms, startSeconds } = options;
  const clients = Array.from({ length: connections }, (_, index) => ({
    client: new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
    }),
    frames: createFrameSource({
      devices: createFleet(connections * readingsPerUnit).slice(
        index * readingsPerUnit,
        (index + 1) * readingsPerUnit,
      ),
      secondsPerFrame: 1,
      startSeconds,
      templates: 64,
      seed: 1000 + index,
    }),
  }));
  const times: number[] = [];
  const units: Promise<void>[] = [];
  const startMs = performance.now();
  for (let sent = 0; performance.now() - startMs < ms; ) {
    const due = ((performance.now() - startMs) / 1000) * (readingsPerSecond / readingsPerUnit);
    for (; sent < due; sent++) {
      const { client, frames } = clients[sent % connections] as (typeof clients)[number];
      const beganMs = performance.now();
      units.push(
        publish(client, frames.next()).then(() => {
          times.push(performance.now() - beganMs);
        }),
      );
    }
    await delay(tickMs);
  }
  await Promise.all(units);
  for (const { client } of clients) client.close();
  return times;
}

function publish(client: Client, frame: Buffer): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  client.makeUnaryRequest<Buffer, PublishReadingBatchResponse>(
    "/devicemesh.v1.IngestService/PublishReadingBatch",
    (bytes) => bytes,
    (bytes) => PublishReadingBatchResponse.decode(bytes),
    frame,
    (error, response) => {
      if (error) reject(error);
      else if (response?.accepted !== BigInt(readingsPerUnit)) reject(new Error("readings were rejected"));
      else resolve();
    },
  );
  return promise;
}
