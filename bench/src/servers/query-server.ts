// Our query service over a prepared store, in a separate process. Ends at SIGTERM.

import { untilShutdownSignal } from "@devicemesh/kit/lifetime/shutdown-signal";
import { createLogger } from "@devicemesh/kit/observability/logger";
import { readContractImage } from "@devicemesh/proto/image";
import { queryConfig, startQuery } from "@devicemesh/query";
import { openEmbeddedStore } from "@devicemesh/store-duckdb";

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: query-server.ts FOLDER");
const logger = createLogger({ name: "bench", level: "warn" });
const clock = Date.now;
await using store = await openEmbeddedStore({ folder, clock });
await store.maintain();
await using query = await startQuery(queryConfig({ port: 0 }), {
  store: store.readings,
  clock,
  logger,
  image: readContractImage(),
});
process.stdout.write(`${JSON.stringify({ port: query.port })}\n`);
await untilShutdownSignal();
