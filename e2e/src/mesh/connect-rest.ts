import { waitUntil } from "@devicemesh/kit/testing";
import { everyMs } from "./pace.ts";
import type { RealMesh } from "./real-mesh.ts";

/**
 * Makes a sink take its whole topic again from the first offset, as an operator of Kafka Connect would: stop,
 * forget the offsets, go on. Resolves when it goes on.
 */
export async function rewindSink({ engines }: RealMesh, connector: string): Promise<void> {
  const url = `${engines.connectUrl}/connectors/${connector}`;
  await fetch(`${url}/stop`, { method: "PUT" });
  // Stopping takes its time; until it is done, forgetting is refused.
  await waitUntil(async () => (await fetch(`${url}/offsets`, { method: "DELETE" })).ok, {
    timeoutMs: 60_000,
    everyMs,
    what: `${connector} has forgotten its offsets`,
  });
  await fetch(`${url}/resume`, { method: "PUT" });
}
