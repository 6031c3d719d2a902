// The single process of `npm start` with its generator, in a separate process. Ends at SIGTERM.

import { untilShutdownSignal } from "@devicemesh/kit/lifetime/shutdown-signal";
import { createLogger } from "@devicemesh/kit/observability/logger";
import { loadSettings } from "@devicemesh/kit/settings/define-settings";
import { embeddedSettings, startEmbedded } from "@devicemesh/standalone";

const [folder, devices] = process.argv.slice(2);
if (folder === undefined || devices === undefined) throw new Error("usage: watch-server.ts FOLDER DEVICES");
const args = ["--data", folder, "--ingest-port", "0", "--query-port", "0"];
const loaded = loadSettings(embeddedSettings, { args, env: {} });
if (loaded.kind !== "settings") throw new Error(loaded.text);
const logger = createLogger({ name: "bench", level: "warn" });
await using embedded = await startEmbedded(loaded.values, { logger, clock: Date.now });
embedded.generator.start({ devices: Number(devices) });
process.stdout.write(`${JSON.stringify({ port: Number(embedded.query.split(":").at(-1)) })}\n`);
await untilShutdownSignal();
