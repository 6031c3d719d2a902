import type { DeviceMessage } from "@devicemesh/proto";
import { createPublisher, readingOf } from "../publisher.ts";
import type { RealMesh } from "./real-mesh.ts";

/** The partitions of devices, and the readings that were sent to find them. */
export type Partitions = {
  readonly of: ReadonlyMap<string, number>;
  readonly sent: readonly DeviceMessage[];
};

/** Finds the partition of each device, by sending a reading of it. */
export async function findPartitions(mesh: RealMesh, devices: readonly string[]): Promise<Partitions> {
  const sent = devices.map(
    (deviceId): DeviceMessage => ({
      deviceId,
      sensor: "humidity",
      timestampMs: Date.now() - 7_200_000,
      value: 50,
    }),
  );
  using publisher = createPublisher(mesh.address);
  const found = new Map<string, number>();
  const consumer = mesh.kafka.consumer({ groupId: `${mesh.names.topics.messages}-partitions` });
  await consumer.connect();
  try {
    await consumer.subscribe({ topic: mesh.names.topics.messages, fromBeginning: true });
    const all = Promise.withResolvers<void>();
    await consumer.run({
      async eachMessage({ partition, message }) {
        const device = message.key?.toString().split("|")[0] ?? "";
        if (devices.includes(device)) found.set(device, partition);
        if (found.size === devices.length) all.resolve();
      },
    });
    await publisher.publish(sent.map(readingOf));
    await all.promise;
    return { of: found, sent };
  } finally {
    await consumer.disconnect();
  }
}
