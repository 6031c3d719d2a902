// Our ingest over the embedded store, in a separate process, like in `npm start`: every check, durable
// acknowledgements, and maintenance (folding) every second. Ends at SIGTERM and prints its stored counts.
import { setTimeout as delay } from "node:timers/promises";
import { ingestConfig, startIngest } from "@devicemesh/ingest";
import { untilShutdownSignal } from "@devicemesh/kit/lifetime/shutdown-signal";
import { createLogger } from "@devicemesh/kit/observability/logger";
import { createSensorCatalog } from "@devicemesh/proto";
import { readContractImage } from "@devicemesh/proto/image";
import { openEmbeddedStore } from "@devicemesh/store-duckdb";

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: ingest-server.ts FOLDER");
const logger = createLogger({ name: "bench", level: "warn" });
const clock = Date.now;
// One for both, or the store would translate the sensors of each batch.
const catalog = createSensorCatalog();
/** The first failure: figures of a server that does not do all its work are meaningless. */
let failure: string | undefined;
function fail(what: string, error: unknown): void {
  logger.error({ error }, what);
  failure ??= `${what}: ${error instanceof Error ? error.message.split("\n")[0] : error}`;
}
const store = await openEmbeddedStore({ folder, clock, catalog, onFailure: fail });
const maintenance = setInterval(() => {
  store.maintain().catch((error) => fail("maintenance failed", error));
}, 1000);
const ingest = await startIngest(ingestConfig({ port: 0 }), {
  log: store.log,
  clock,
  catalog,
  logger,
  image: readContractImage(),
  retainedSinceMs: store.earliestAcceptedMs,
});
// "settle": responds when everything acknowledged before is folded, so that its cost is included.
process.on("message", async () => {
  const nowMs = clock();
  for (;;) {
    const { frontiersMs } = await store.readings.readHorizon(AbortSignal.timeout(10_000));
    if (failure !== undefined || (frontiersMs[0] ?? 0) >= nowMs) break;
    await delay(100);
  }
  process.send?.(failure ?? "settled");
});
process.stdout.write(`${JSON.stringify({ port: ingest.port })}\n`);

await untilShutdownSignal();
if (process.connected) process.disconnect();
clearInterval(maintenance);
await ingest.close();
const { storedReadings, duplicates, conflicts, diskBytes, versions } = await store.readings.readStatus(
  AbortSignal.timeout(30_000),
);
await store.close();
process.stdout.write(
  `${JSON.stringify({ storedReadings, duplicates, conflicts, diskBytes, versions, failure })}\n`,
);
