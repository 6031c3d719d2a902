import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { listReadings, startTestMesh } from "@devicemesh/standalone/testing/test-mesh";
import { expect, it } from "vitest";
import { blocks } from "../testing/readme-blocks.ts";

const page = readFileSync(fileURLToPath(new URL("../../docs/gateway.md", import.meta.url)), "utf8");

/** Sends a reading as a device does that knows this machine by an address of its network. */
async function send(port: string): Promise<{ readonly status: number; readonly body: string }> {
  const call = request({
    ...{ host: "127.0.0.1", port, path: "/v1/readings", method: "POST" },
    headers: { host: `192.168.1.10:${port}`, "content-type": "application/json" },
  });
  call.end('{"device_id":"esp32-1","temperature":21.5}');
  const [response] = (await once(call, "response")) as [IncomingMessage];
  return { status: response.statusCode ?? 0, body: await text(response) };
}

it("a device of the network sends to a server that is started as docs/gateway.md describes, and to no other", async () => {
  const [command = ""] = blocks(page.split("## From devices in your network\n")[1] ?? "", "sh");
  const flags = command.trim().replace("--mqtt-port 1883", "--mqtt-port 0").split(" ").slice(3);
  expect(flags).toEqual(["--host", "0.0.0.0", "--insecure-beyond-loopback", "--mqtt-port", "0"]);
  const open = await startTestMesh(...flags);
  expect(await send(open.query.split(":")[1]!)).toMatchObject({ status: 200 });
  const port = open.query.split(":")[1]!;
  expect(await listReadings({ query: `127.0.0.1:${port}` })).toMatchObject([{ deviceId: "esp32-1" }]);
  const closed = await startTestMesh();
  const rejected = await send(closed.query.split(":")[1]!);
  expect(rejected.status).toBe(403);
  expect(rejected.body).toContain("--insecure-beyond-loopback");
  expect(await listReadings(closed)).toEqual([]);
});
