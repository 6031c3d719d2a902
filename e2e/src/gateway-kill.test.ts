import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import mqtt from "mqtt";
import { expect, it, onTestFinished } from "vitest";

const main = fileURLToPath(new URL("../../standalone/src/main.ts", import.meta.url));

/** The single process as a child; the end of the test kills it. */
async function start(data: string): Promise<{ child: ChildProcess; query: string; mqttPort: number }> {
  const args = [
    "--data",
    data,
    "--no-generator",
    "--ingest-port",
    "0",
    "--query-port",
    "0",
    "--mqtt-port",
    "0",
  ];
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  let query = "";
  for await (const line of createInterface({ input: child.stdout! })) {
    query = /address\s+https?:\/\/([^/\s]+)/.exec(line)?.[1] ?? query;
    const port = /mqtt\s+\S+:(\d+)/.exec(line)?.[1];
    if (port !== undefined) {
      child.stdout!.resume();
      return { child, query, mqttPort: Number(port) };
    }
  }
  throw new Error("the process ended before it listened");
}

const firstMs = Date.UTC(2023, 0, 1);

/**
 * Sends readings one after the other over both protocols until the connection breaks; returns the acknowledged ones.
 */
async function load(
  { query, mqttPort }: { query: string; mqttPort: number },
  round: number,
  kill: () => void,
) {
  const acknowledged = new Set<string>();
  const client = await mqtt.connectAsync({ host: "127.0.0.1", port: mqttPort, reconnectPeriod: 0 });
  onTestFinished(() => client.endAsync(true));
  const ended = new Promise<void>((resolve) => client.once("close", resolve));
  const identity = (device: string, at: number) => `${device}|${new Date(firstMs + at).toISOString()}|${at}`;
  let isKilled = false;
  let next = round * 1_000_000;
  async function overMqtt(device: string): Promise<void> {
    while (!isKilled) {
      const at = next++;
      const payload = JSON.stringify({ humidity: 1, temperature: at % 100, timestamp: firstMs + at });
      const published = client
        .publishAsync(device, payload, { qos: 1 })
        .then(() => acknowledged.add(identity(device, at)));
      await Promise.race([published.catch(() => {}), ended]);
    }
  }
  async function overHttp(device: string): Promise<void> {
    while (!isKilled) {
      const at = next++;
      const body = JSON.stringify({
        device_id: device,
        humidity: 1,
        temperature: at % 100,
        timestamp: firstMs + at,
      });
      const headers = { "content-type": "application/json" };
      const response = await fetch(`http://${query}/v1/readings`, { method: "POST", headers, body }).catch(
        () => undefined,
      );
      if (response?.status === 200) acknowledged.add(identity(device, at));
    }
  }
  const senders = [overMqtt("m1"), overMqtt("m2"), overMqtt("m3"), overHttp("h1"), overHttp("h2")];
  await expect.poll(() => acknowledged.size, { timeout: 30_000 }).toBeGreaterThan(200);
  kill();
  isKilled = true;
  await Promise.all(senders);
  return acknowledged;
}

async function count(query: string): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  let pageToken = "";
  do {
    const response = await fetch(`http://${query}/devicemesh.v1.QueryService/ListReadings`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ page_size: 1000, page_token: pageToken, sensors: ["temperature"] }),
    });
    const page = (await response.json()) as {
      readings?: { deviceId: string; timestamp: string }[];
      nextPageToken?: string;
    };
    for (const { deviceId, timestamp } of page.readings ?? []) {
      const key = `${deviceId}|${Date.parse(timestamp)}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    pageToken = page.nextPageToken ?? "";
  } while (pageToken !== "");
  return counts;
}

it("stores everything acknowledged over MQTT and HTTP once when the process is killed under load", async () => {
  const data = mkdtempSync(join(tmpdir(), "gateway-kill-"));
  onTestFinished(() => rmSync(data, { recursive: true, force: true }));
  const acknowledged = new Set<string>();
  for (const round of [1, 2]) {
    const mesh = await start(data);
    const exited = new Promise((resolve) => mesh.child.once("exit", resolve));
    for (const each of await load(mesh, round, () => mesh.child.kill("SIGKILL"))) acknowledged.add(each);
    await exited;
  }
  const { query } = await start(data);
  const stored = await count(query);
  const missing = [...acknowledged].filter((identity) => {
    const [device, time] = identity.split("|");
    return !stored.has(`${device}|${Date.parse(time!)}`);
  });
  expect(missing).toEqual([]);
  expect([...stored.values()].filter((times) => times !== 1)).toEqual([]);
  expect(stored.size).toBeGreaterThanOrEqual(acknowledged.size);
}, 120_000);
