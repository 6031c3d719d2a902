import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fromBinary } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { protoTimestamp } from "@devicemesh/proto";
import type { AggregateRow } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import {
  GetAggregatesResponseSchema,
  QueryService,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { IngestServiceClient } from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import type { Reading } from "@devicemesh/proto/tsproto/devicemesh/v1/reading.ts";
import { ensureBuilt } from "@devicemesh/web/build";
import { credentials } from "@grpc/grpc-js";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { type Browser, startBrowser } from "../examples/browser-fixture.ts";
import { type MeshProcess, startMesh } from "../mesh-process.ts";

/** Builds the dashboard if it is missing or stale, for servers that start afterwards. */
export async function buildDashboard(): Promise<void> {
  await ensureBuilt();
}

/** Starts the single process with a built dashboard, and Chromium; `running` ends both. */
export async function startDashboard(
  running: AsyncDisposableStack,
  flags?: readonly string[],
): Promise<{ readonly mesh: MeshProcess; readonly browser: Browser }> {
  await buildDashboard();
  const folder = running.use(temporaryFolder());
  const mesh = await startMesh(folder.path, flags);
  running.defer(() => mesh.kill());
  return { mesh, browser: running.use(await startBrowser()) };
}

/** A temperature of a device, in ms since 1970. */
export type Temperature = { readonly deviceId: string; readonly atMs: number; readonly temperature: number };

/** Sends temperatures to ingest (host:port) and resolves when they are stored. */
export async function publish(ingest: string, temperatures: readonly Temperature[]): Promise<void> {
  const client = new IngestServiceClient(ingest, credentials.createInsecure());
  const readings = temperatures.map(
    ({ deviceId, atMs, temperature }): Reading => ({
      deviceId,
      timestamp: protoTimestamp(atMs),
      measurement: { $case: "thermostat", value: { temperature } },
    }),
  );
  try {
    await new Promise<void>((resolve, reject) => {
      client.publishReadingBatch({ readings }, (error, response) => {
        if (error) reject(error);
        else if (response.refused > 0n) reject(new Error(`${response.refused} readings were rejected`));
        else resolve();
      });
    });
  } finally {
    client.close();
  }
}

/** A client of query (host:port). */
export function queryClient(query: string) {
  return createClient(QueryService, createGrpcTransport({ baseUrl: `http://${query}` }));
}

/** The next answer of GetAggregates that the page receives and that has rows of this device, as the server sent it. */
export async function nextAggregates(page: Page, deviceId: string): Promise<readonly AggregateRow[]> {
  let found: readonly AggregateRow[] = [];
  await page.waitForResponse(async (response) => {
    if (!response.url().endsWith("/GetAggregates") || !response.ok()) return false;
    // The page abandons answers that it no longer shows; the browser drops their bodies.
    const body = await response.body().catch(() => undefined);
    if (body === undefined) return false;
    found = fromBinary(GetAggregatesResponseSchema, body).rows;
    return found.some((row) => row.deviceId === deviceId);
  });
  return found;
}

/** What axe finds on a page: the rules of WCAG 2.1 A and AA that are broken, serious or worse, with where. */
export async function seriousFindings(page: Page): Promise<string[]> {
  // The policy of the page allows no inline script; the test's own code runs beside it.
  await page.evaluate(axe.source);
  const violations = await page.evaluate(async () => {
    const { axe: tool } = globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } };
    return (await tool.run()).violations;
  });
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
}

type Violation = {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly target: readonly string[] }[];
};

const images = fileURLToPath(new URL("../../../docs/images", import.meta.url));

/** Takes a picture for the documentation if KEEP_SCREENSHOTS is set in the environment. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  if (process.env.KEEP_SCREENSHOTS === undefined) return;
  mkdirSync(images, { recursive: true });
  // Charts are drawn in the frame after their data.
  await page.evaluate(
    () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
  );
  await page.screenshot({ path: join(images, `${name}.png`) });
}
