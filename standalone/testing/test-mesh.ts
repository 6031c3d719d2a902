import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { loadSettings } from "@devicemesh/kit/settings/define-settings";
import { onTestFinished } from "vitest";
import { embeddedSettings } from "../src/settings.ts";
import { type Embedded, startEmbedded } from "../src/start.ts";

/**
 * The single process on free ports over a new folder unless `--data` sets one, without simulated devices, until the
 * test ends.
 */
export async function startTestMesh(...args: readonly string[]): Promise<Embedded> {
  const data = mkdtempSync(join(tmpdir(), "devicemesh-standalone-"));
  const ports = ["--ingest-port", "0", "--query-port", "0"];
  const loaded = loadSettings(embeddedSettings, {
    args: [...(args.includes("--data") ? [] : ["--data", data]), "--no-generator", ...ports, ...args],
    env: {},
  });
  if (loaded.kind !== "settings") throw new Error(loaded.text);
  const mesh = await startEmbedded(loaded.values, { logger: silentLogger(), clock: Date.now });
  onTestFinished(async () => {
    await mesh.close();
    rmSync(data, { recursive: true, force: true });
  });
  return mesh;
}

/** Returns the readings of the mesh, at most 1000, with ListReadings. */
export async function listReadings(
  mesh: Pick<Embedded, "query">,
): Promise<readonly { deviceId: string; sensor: string; timestamp: string; value: number }[]> {
  const response = await fetch(`http://${mesh.query}/devicemesh.v1.QueryService/ListReadings`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ page_size: 1000 }),
  });
  return ((await response.json()) as { readings?: never[] }).readings ?? [];
}
