import { setTimeout as delay } from "node:timers/promises";
import { PublishReadingBatchResponse } from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import { Client, credentials } from "@grpc/grpc-js";
import { createFleet } from "../load/fleet.ts";
import { createFrameSource } from "../load/frames.ts";

/** Readings of one unit. */
export const readingsPerUnit = 100;

const connections = 10;
const tickMs = 10;

/** Sends units of 100 readings. */
export type UnitSender = AsyncDisposable & {
  /** Sends the next one; resolves when it is acknowledged. */
  send(): Promise<void>;
};

/** Sends units at a steady rate, whether the last ones are answered or not, and resolves to the time of each, in ms. */
export async function measureUnitLatency(
  { send }: Pick<UnitSender, "send">,
  { readingsPerSecond, ms }: { readonly readingsPerSecond: number; readonly ms: number },
): Promise<readonly number[]> {
  const times: number[] = [];
  const units: Promise<void>[] = [];
  const startMs = performance.now();
  for (let sent = 0; performance.now() - startMs < ms; ) {
    const due = ((performance.now() - startMs) / 1000) * (readingsPerSecond / readingsPerUnit);
    for (; sent < due; sent++) {
      const beganMs = performance.now();
      units.push(send().then(() => void times.push(performance.now() - beganMs)));
    }
    await delay(tickMs);
  }
  await Promise.all(units);
  return times;
}

/** Sends to ingest, over ten connections in turn. `startSeconds` is the second (since 1970) of the first readings. */
export function ingestUnits(port: number, startSeconds: number): UnitSender {
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
  let sent = 0;
  return {
    send() {
      const { client, frames } = clients[sent++ % connections] as (typeof clients)[number];
      return publish(client, frames.next());
    },
    async [Symbol.asyncDispose]() {
      for (const { client } of clients) client.close();
    },
  };
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
