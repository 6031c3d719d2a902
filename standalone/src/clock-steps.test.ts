import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { loadSettings } from "@devicemesh/kit/settings/define-settings";
import { protoTimestamp } from "@devicemesh/proto";
import { IngestService } from "@devicemesh/proto/es/devicemesh/v1/ingest_service_pb.ts";
import {
  QueryService,
  type WatchAggregatesResponse,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { expect, it, onTestFinished } from "vitest";
import { embeddedSettings } from "../src/settings.ts";
import { startEmbedded } from "../src/start.ts";

const hourMs = 3_600_000;

/** The single process with a clock whose offset the test sets. */
async function startStepped() {
  const data = mkdtempSync(join(tmpdir(), "devicemesh-clock-"));
  const args = ["--data", data, "--no-generator", "--ingest-port", "0", "--query-port", "0"];
  const loaded = loadSettings(embeddedSettings, { args, env: {} });
  if (loaded.kind !== "settings") throw new Error(loaded.text);
  const time = { offMs: 0 };
  const mesh = await startEmbedded(loaded.values, {
    logger: silentLogger(),
    clock: () => Date.now() + time.offMs,
  });
  onTestFinished(async () => {
    await mesh.close();
    rmSync(data, { recursive: true, force: true });
  });
  const transport = createGrpcTransport({ baseUrl: `http://${mesh.query}` });
  return {
    time,
    ingest: createClient(IngestService, transport),
    query: createClient(QueryService, transport),
  };
}

it.each([
  ["forward and back", [hourMs, 0]],
  ["back and forward", [-hourMs, 0]],
  ["back twice", [-hourMs, -2 * hourMs, 0]],
])("accepts, counts and shows every reading while its clock is stepped %s by an hour", async (_, steps) => {
  const { time, ingest, query } = await startStepped();
  const caller = new AbortController();
  const watch = query.watchAggregates({ lastBuckets: 3 }, { signal: caller.signal });
  const messages = watch[Symbol.asyncIterator]();
  await messages.next();
  const startMs = Date.now();
  let sent = 0;
  for (const offMs of [0, ...steps]) {
    time.offMs = offMs;
    // Devices keep the right time.
    const readings = Array.from({ length: 10 }, () => ({
      deviceId: "steady",
      timestamp: protoTimestamp(startMs + sent++),
      measurement: { case: "thermostat" as const, value: { temperature: sent } },
    }));
    expect(await ingest.publishReadingBatch({ readings })).toMatchObject({ accepted: 10n, refused: 0n });
    const { rows } = await query.getAggregates({ deviceIds: ["steady"] });
    expect(rows.map(({ count, maximum }) => [Number(count), maximum])).toEqual([[sent, sent]]);
    // Of a clock that is an hour ahead, the last buckets hold nothing of the devices' present.
    if (offMs <= 0) {
      const shown: WatchAggregatesResponse | undefined = (await messages.next()).value;
      const newest = [...(shown?.ahead ?? []), ...(shown?.buckets.map(({ row }) => row) ?? [])];
      expect(newest.map((row) => row?.deviceId)).toContain("steady");
    }
  }
  const { series } = await query.listSeries({});
  expect(series.map(({ deviceId }) => deviceId)).toEqual(["steady"]);
  caller.abort();
});
