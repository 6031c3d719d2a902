import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { freePorts } from "@devicemesh/engines/plans/free-ports";
import { temporaryFolder, waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { identityOf } from "@devicemesh/proto";
import { expect, it, onTestFinished } from "vitest";
import { startGatewayLoad } from "../testing/mesh/gateway-load.ts";

const mainOf = (workspace: string) =>
  fileURLToPath(new URL(`../../${workspace}/src/main.ts`, import.meta.url));

/** A process that can be killed and started again with the same arguments. */
function restartable(workspace: string, args: readonly string[]) {
  let child: ChildProcess | undefined;
  const start = (): void => {
    child = spawn(process.execPath, [mainOf(workspace), ...args], { stdio: ["ignore", "ignore", "inherit"] });
  };
  onTestFinished(() => void child?.kill("SIGKILL"));
  start();
  return {
    async kill(): Promise<void> {
      const exited = new Promise((resolve) => child?.once("exit", resolve));
      child?.kill("SIGKILL");
      await exited;
      start();
    },
  };
}

/** The readings in the store, each identity as often as it is listed. */
async function listed(query: string): Promise<string[]> {
  const identities: string[] = [];
  let pageToken = "";
  do {
    const response = await fetch(`http://${query}/devicemesh.v1.QueryService/ListReadings`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ page_size: 1000, page_token: pageToken }),
    });
    const page = (await response.json()) as {
      readings?: { deviceId: string; sensor: string; timestamp: string }[];
      nextPageToken?: string;
    };
    for (const { deviceId, sensor, timestamp } of page.readings ?? [])
      identities.push(identityOf({ deviceId, sensor, timestampMs: Date.parse(timestamp) }));
    pageToken = page.nextPageToken ?? "";
  } while (pageToken !== "");
  return identities;
}

it("stores what a gateway of its own acknowledged over HTTP and MQTT, once, while it and ingest are killed", async () => {
  using folder = temporaryFolder();
  const [ingest, query, http, mqttPort] = await freePorts(4);
  const mesh = restartable("standalone", [
    ...["--data", folder.path, "--no-generator", "--ingest-port", `${ingest}`, "--query-port", `${query}`],
  ]);
  const gateway = restartable("gateway", [
    ...["--port", `${http}`, "--ingest", `127.0.0.1:${ingest}`, "--mqtt-port", `${mqttPort}`],
  ]);
  const isUp = (url: string) =>
    fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
  const up = (url: string) => waitUntil(() => isUp(url), { timeoutMs: 60_000, what: url });
  await up(`http://127.0.0.1:${http}/ping`);
  await up(`http://127.0.0.1:${query}/health`);
  const load = await startGatewayLoad({ http: `127.0.0.1:${http}`, mqttPort: mqttPort!, prefix: "kill." });
  onTestFinished(() => load.abort());
  const acked = (count: number) =>
    waitUntil(() => load.acked.size >= count, { timeoutMs: 120_000, what: `${count} readings acknowledged` });
  await acked(400);
  for (const victim of [gateway, mesh]) {
    const before = load.acked.size;
    await victim.kill();
    await acked(before + 400);
  }
  await load.finish();
  expect(load.resent).toBeGreaterThan(0);
  expect(load.acked.size).toBe(load.sent.size);
  expect((await listed(`127.0.0.1:${query}`)).sort()).toEqual([...load.sent.keys()].sort());
}, 400_000);
