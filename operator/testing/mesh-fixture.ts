import { randomUUID } from "node:crypto";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { type ChainNames, connectorGroup } from "@devicemesh/pipeline";
import { readGroupProgress } from "../src/maintenance/kafka-progress.ts";
import { type EngineAddresses, type MeshEngines, openEngines } from "../src/mesh-engines.ts";
import { type MeshOptions, prepareMesh, removeMesh } from "./prepare-mesh.ts";

/** A record to append. */
export type FixtureRecord = {
  readonly key: string | null;
  readonly value: string | Uint8Array | null;
  /** The partition; 0 by default. */
  readonly partition?: number;
};

/** A mesh for one test file, in engines that other test files share. */
export type MeshFixture = AsyncDisposable & {
  readonly options: MeshOptions;
  readonly names: ChainNames;
  readonly engines: MeshEngines;
  /** Appends each record to its partition; resolves with the offset of each when they are durable. */
  append(topic: string, records: readonly FixtureRecord[]): Promise<readonly number[]>;
  /** Resolves when a sink has committed every record of its topic. */
  sunk(sink: "messages" | "windows"): Promise<void>;
};

/** Unique names for a mesh. */
export function freshMesh(
  addresses: EngineAddresses & { readonly brokers: number },
  more: Partial<MeshOptions> = {},
): MeshOptions {
  const name = `operator-test-${randomUUID().slice(0, 8)}`;
  const { kafkaBrokers, connectUrl, mongodbUrl, brokers } = addresses;
  return {
    kafkaBrokers,
    connectUrl,
    mongodbUrl,
    prefix: `${name}.`,
    database: name,
    partitions: 2,
    replication: brokers,
    ...more,
  };
}

/** Makes a mesh of these options, unless it exists, and removes it when disposed. */
export async function openMeshFixture(options: MeshOptions): Promise<MeshFixture> {
  const names = await prepareMesh(options);
  const engines = openEngines(options, options.database);
  const producer = engines.kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  return {
    options,
    names,
    engines,
    async append(topic, records) {
      const next = new Map<number, number>();
      for (const partition of new Set(records.map((record) => record.partition ?? 0))) {
        const messages = records
          .filter((record) => (record.partition ?? 0) === partition)
          .map(({ key, value }) => ({ partition, key, value: value === null ? null : Buffer.from(value) }));
        const [metadata] = await producer.send({ topic, acks: -1, messages });
        next.set(partition, Number(metadata?.baseOffset));
      }
      return records.map(({ partition = 0 }) => {
        const offset = next.get(partition)!;
        next.set(partition, offset + 1);
        return offset;
      });
    },
    async sunk(sink) {
      const group = connectorGroup(names.connectors[sink]);
      await waitUntil(
        async () => (await readGroupProgress(engines.withAdmin, group, names.topics[sink])).lag === 0,
        { timeoutMs: 60_000, what: `the sink of ${sink} has committed everything` },
      );
    },
    async [Symbol.asyncDispose]() {
      await producer.disconnect();
      await engines[Symbol.asyncDispose]();
      await removeMesh(options);
    },
  };
}

/** A valid message of a series, `n` seconds after eight in the evening. */
export function goodRecord(deviceId: string, n: number, value = 20 + (n % 7)): FixtureRecord {
  const timestamp = new Date(Date.UTC(2026, 10, 23, 20, 0, n)).toISOString();
  const sensor = "temperature";
  return {
    key: `${deviceId}|${sensor}|${timestamp}`,
    value: JSON.stringify({ device_id: deviceId, timestamp, sensor, value }),
  };
}
