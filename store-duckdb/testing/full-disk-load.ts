import type { MessageBatch } from "@devicemesh/ingest";
import type { RpcError } from "@devicemesh/kit/rpc/rpc-error";
import { builtInSensors } from "@devicemesh/proto";
import { planRead } from "@devicemesh/query";
import type { EmbeddedStore } from "../src/duckdb-store.ts";

const signal = AbortSignal.timeout(600_000);

/** For tests: batches that do not compress: pseudo-random values, each identity once. */
export function createLoad(readings = 20_000): () => MessageBatch {
  let seed = 1;
  let nextMs = Date.UTC(2026, 0, 1);
  function value(): number {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (seed / 0x7fffffff) * 40;
  }
  return () => {
    const firstMs = nextMs;
    nextMs += readings * 10;
    return {
      length: readings,
      deviceIds: Array.from({ length: readings }, (_, row) => `d${row % 100}`),
      sensors: builtInSensors,
      sensorCodes: new Uint16Array(readings),
      timestampsMs: Float64Array.from({ length: readings }, (_, row) => firstMs + row * 10),
      values: Float64Array.from({ length: readings }, value),
    };
  };
}

/** Appends until the store rejects; returns the number of acknowledged readings, the rejected ones, and the reason. */
export async function appendUntilRejected(store: EmbeddedStore, next: () => MessageBatch) {
  for (let acknowledged = 0; ; ) {
    const batch = next();
    try {
      await store.log.append(batch);
      acknowledged += batch.length;
    } catch (error) {
      return { acknowledged, batch, error: error as RpcError };
    }
  }
}

/** Returns the number of readings that a query counts. */
export async function countAll({ readings }: EmbeddedStore): Promise<number> {
  const { levels } = readings;
  const horizon = await readings.readHorizon(signal);
  const { plan } = planRead({ sinceMs: 0, toMs: Date.UTC(2100, 0), levels, horizon });
  const filter = { deviceIds: [], sensors: [] };
  const { partials } = await readings.readPartials({ plan, filter }, signal);
  return partials.reduce((sum, { count }) => sum + count, 0);
}
