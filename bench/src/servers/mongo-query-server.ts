// Query as a service over the real engines' database, in a separate process. Ends at SIGTERM.

import { untilShutdownSignal } from "@devicemesh/kit/lifetime/shutdown-signal";
import { createLogger } from "@devicemesh/kit/observability/logger";
import { loadSettings } from "@devicemesh/kit/settings/define-settings";
import { querySettings } from "@devicemesh/query/settings";
import { startQueryProcess } from "@devicemesh/query/start-on-mongo";

const [url, database] = process.argv.slice(2);
if (url === undefined || database === undefined) throw new Error("usage: mongo-query-server.ts URL DATABASE");
const args = ["--port", "0", "--mongodb-url", url, "--mongodb-database", database];
const loaded = loadSettings(querySettings, { args, env: {} });
if (loaded.kind !== "settings") throw new Error(loaded.text);
const logger = createLogger({ name: "bench", level: "warn" });
await using query = await startQueryProcess(loaded.values, { logger, clock: Date.now });
process.stdout.write(`${JSON.stringify({ port: query.port })}\n`);
await untilShutdownSignal();
