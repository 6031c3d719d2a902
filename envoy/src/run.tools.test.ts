import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder, waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { envoyBinary, localhost, startEdge } from "../testing/edge-fixture.ts";
import { sampleSettings } from "../testing/sample-settings-fixture.ts";
import { createUnitClient, readingsOf } from "../testing/unit-client-fixture.ts";
import { renderEnvoy } from "./render.ts";

const script = fileURLToPath(new URL("../run.sh", import.meta.url));

describe.skipIf(envoyBinary === undefined)("run.sh, the first process of a container,", () => {
  it("lets an open unit end after SIGTERM, and exits with the code of Envoy", async () => {
    using folder = temporaryFolder();
    await using edge = await startEdge();
    const [plain, metrics, admin] = [await freePort(), await freePort(), await freePort()];
    const { least } = await sampleSettings(folder.path);
    const config = join(folder.path, "envoy.yaml");
    const backends = { ingest: [localhost(edge.ingest.port)], query: [localhost(edge.query.port)] };
    const listeners = { plain: localhost(plain), metrics: localhost(metrics), admin: localhost(admin) };
    writeFileSync(config, renderEnvoy({ ...least, ...backends, ...listeners }));
    const command = [envoyBinary ?? "", "-c", config, "--disable-hot-restart", "--log-level", "warning"];
    const child = spawn("bash", [script, `${admin}`, "1", "20", ...command], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    const ended = once(child, "exit");
    const ready = async () =>
      (await fetch(`http://127.0.0.1:${metrics}/ready`).catch(() => undefined))?.status;
    await waitUntil(async () => (await ready()) === 200, { timeoutMs: 15_000, what: "Envoy" });

    using client = createUnitClient(`127.0.0.1:${plain}`);
    const unit = client.open();
    unit.write(readingsOf("run", 0, 10));
    await waitUntil(() => edge.ingest.stats().openStreams === 1);
    child.kill("SIGTERM");
    await waitUntil(async () => (await ready()) === 503);
    await waitUntil(async () => (await ready()) === undefined, { what: "closed listeners" });
    unit.write(readingsOf("run", 10, 10));
    expect(await unit.end()).toEqual({ kind: "acked", accepted: 20 });
    expect(await ended).toEqual([0, null]);
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
