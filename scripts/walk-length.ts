// `npm run walk`: which files one call runs through, counted by V8's coverage of that call: in the single process, and
// PublishReadings also in the process of ingest over Kafka, whose brokers are stand-ins here.
// Files of every workspace count, kit included; generated code and libraries do not. A file counts if one of its
// functions runs in each of several calls, so that timers in between do not count; code of a module's top level runs at
// the import and does not count either. `--check` prints one line, and fails if a walk is longer than its limit.
import { Session } from "node:inspector/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { ingestSettings } from "@devicemesh/ingest/settings";
import { startIngestProcess } from "@devicemesh/ingest/start-on-kafka";
import { startFakeBrokers } from "@devicemesh/ingest/testing/fake-brokers";
import { createLogger } from "@devicemesh/kit/observability/logger";
import { loadSettings } from "@devicemesh/kit/settings/define-settings";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { protoTimestamp } from "@devicemesh/proto";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import {
  IngestServiceClient,
  type PublishReadingsResponse,
} from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import { embeddedSettings, startEmbedded } from "@devicemesh/standalone";
import { credentials } from "@grpc/grpc-js";

/** The largest number of files that a call may run through. */
const limits: Readonly<Record<string, number>> = {
  PublishReadings: 18,
  "PublishReadings over Kafka": 18,
  GetAggregates: 22,
};
/**
 * Calls are compared until the limit is met and so many in a row have removed no file. On a busy machine a call may take
 * so long that timers run in it: a longer walk is compared with up to `callsMax` calls.
 */
const callsCompared = 8;
const callsMax = 100;
const root = fileURLToPath(new URL("..", import.meta.url));

using folder = temporaryFolder();
const loaded = loadSettings(embeddedSettings, {
  args: ["--data", join(folder.path, "data"), "--no-generator", "--ingest-port", "0", "--query-port", "0"],
  env: {},
});
if (loaded.kind !== "settings") throw new Error(loaded.text);
await using mesh = await startEmbedded(loaded.values, {
  logger: createLogger({ name: "walk", level: "silent" }),
  clock: Date.now,
});
const logger = createLogger({ name: "walk", level: "silent" });
await using brokers = await startFakeBrokers({ topic: "processed_messages", partitions: 3, brokers: 1 });
const ingestLoaded = loadSettings(ingestSettings, {
  args: ["--port", "0", "--kafka-brokers", brokers.addresses.join(",")],
  env: {},
});
if (ingestLoaded.kind !== "settings") throw new Error(ingestLoaded.text);
await using kafkaIngest = await startIngestProcess(ingestLoaded.values, { logger, clock: Date.now });
const ingestOf = (address: string): IngestServiceClient =>
  new IngestServiceClient(address, credentials.createInsecure());
const embedded = ingestOf(mesh.ingest);
const overKafka = ingestOf(`127.0.0.1:${kafkaIngest.port}`);
const query = createClient(QueryService, createGrpcTransport({ baseUrl: `http://${mesh.query}` }));
// Made beforehand: what the client does is not part of the walk.
const frames = Array.from({ length: 2 * (callsMax + 1) }, (_, i) => ({
  readings: [
    {
      deviceId: "walk",
      timestamp: protoTimestamp(Date.now() - 60_000 + i),
      measurement: { $case: "thermostat" as const, value: { temperature: 21 } },
    },
  ],
}));

function publish(ingest: IngestServiceClient): Promise<PublishReadingsResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<PublishReadingsResponse>();
  const call = ingest.publishReadings((error, response) => (error ? reject(error) : resolve(response)));
  call.write(frames.shift() ?? { readings: [] });
  call.end();
  return promise;
}

const session = new Session();
session.connect();
await session.post("Profiler.enable");

/** Returns the files whose functions run in every one of several calls. */
async function walkOf(name: string, call: () => Promise<unknown>): Promise<readonly string[]> {
  await call();
  let walk: readonly string[] = [];
  for (let calls = 0, alike = 0; calls < callsMax; calls++) {
    if (alike >= callsCompared && walk.length <= (limits[name] ?? 0)) break;
    await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
    await session.post("Profiler.takePreciseCoverage");
    await call();
    const { result } = await session.post("Profiler.takePreciseCoverage");
    await session.post("Profiler.stopPreciseCoverage");
    const ran = result.filter(({ functions }) => functions.some(({ ranges }) => (ranges[0]?.count ?? 0) > 0));
    const files = new Set(
      ran
        .map(({ url }) => url)
        .filter(isOurs)
        .map(pathOf),
    );
    const common = calls === 0 ? [...files] : walk.filter((file) => files.has(file));
    alike = common.length === walk.length ? alike + 1 : 0;
    walk = common;
  }
  return walk.toSorted();
}

function isOurs(url: string): boolean {
  return url.startsWith(`file://${root}`) && !/node_modules|\/gen\/|\/testing\/|^scripts\//.test(pathOf(url));
}

function pathOf(url: string): string {
  return fileURLToPath(url).slice(root.length);
}

const walks = {
  PublishReadings: await walkOf("PublishReadings", () => publish(embedded)),
  "PublishReadings over Kafka": await walkOf("PublishReadings over Kafka", () => publish(overKafka)),
  GetAggregates: await walkOf("GetAggregates", () => query.getAggregates({})),
};
if (process.argv.includes("--check")) checkWalks();
else printWalks();
embedded.close();
overKafka.close();

function printWalks(): void {
  for (const [name, files] of Object.entries(walks)) {
    console.log(`${name}: ${files.length} files (at most ${limits[name]})`);
    for (const file of files) console.log(`  ${file}`);
  }
}

function checkWalks(): void {
  const texts = Object.entries(walks).map(
    ([name, { length }]) => `${name} ${length} files (at most ${limits[name]})`,
  );
  console.log(texts.join(", "));
  const longer = Object.entries(walks).filter(([name, { length }]) => length > (limits[name] ?? 0));
  for (const [name, files] of longer) {
    console.log(`${name} runs through more files than before; join what has one importer:`);
    for (const file of files) console.log(`  ${file}`);
  }
  if (longer.length > 0) process.exitCode = 1;
}
