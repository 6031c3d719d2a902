import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { findGatewayPython } from "@devicemesh/engines/testing/host-tools";
import { listReadings, startTestMesh } from "@devicemesh/standalone/testing/test-mesh";
import { describe, expect, it, onTestFinished } from "vitest";

const run = promisify(execFile);
const hasMosquitto = spawnSync("mosquitto_pub", ["--help"]).error === undefined;

async function startMesh() {
  const mesh = await startTestMesh("--mqtt-port", "0");
  const [host = "", port = ""] = (mesh.mqtt ?? "").split(":");
  const stored = async (): Promise<readonly string[]> =>
    (await listReadings(mesh)).map(({ deviceId, sensor, value }) => `${deviceId}|${sensor}|${value}`).sort();
  return { mesh, host, port, stored };
}

async function python(script: string, ...args: readonly string[]): Promise<string> {
  const folder = findGatewayPython();
  if (folder === undefined) throw new Error("the Python of this test is not installed");
  return (await run(join(folder, "bin/python"), ["-c", script, ...args], { timeout: 50_000 })).stdout;
}

it("curl sends the original document, NDJSON with gzip and line protocol", async () => {
  const { mesh, stored } = await startMesh();
  const folder = mkdtempSync(join(tmpdir(), "gateway-curl-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "body.gz");
  writeFileSync(file, gzipSync('{"device_id":"a","temperature":1}\n{"device_id":"b","humidity":2}\n'));
  const curl = (...args: readonly string[]) => run("curl", ["-sS", "--fail-with-body", ...args]);
  const json = ["-H", "content-type: application/json"];
  const original =
    '{"device_id":"1","timestamp":"2023-03-28T20:04:22Z","temperature":25.2,"tag":"Thermostat"}';
  expect((await curl(...json, "-d", original, `http://${mesh.query}/v1/readings`)).stdout).toContain(
    '"accepted":1',
  );
  const gzip = ["-H", "content-type: application/x-ndjson", "-H", "content-encoding: gzip"];
  expect(
    (await curl(...gzip, "--data-binary", `@${file}`, `http://${mesh.query}/v1/readings`)).stdout,
  ).toContain('"accepted":2');
  await curl(
    "--data-binary",
    "air,host=pi temperature=3",
    `http://${mesh.query}/api/v2/write?bucket=b&org=o`,
  );
  expect(await stored()).toEqual([
    "1|temperature|25.2",
    "a|temperature|1",
    "b|humidity|2",
    "pi|temperature|3",
  ]);
});

describe.skipIf(!hasMosquitto)("mosquitto's clients", () => {
  it.each(["mqttv31", "mqttv311", "mqttv5"])("publish with every QoS over %s", async (version) => {
    const { host, port, stored } = await startMesh();
    for (const qos of [0, 1, 2]) {
      const message = ["-t", `kitchen${qos}/temperature`, "-m", `${qos}.5`];
      await run("mosquitto_pub", ["-h", host, "-p", port, "-V", version, "-q", `${qos}`, ...message]);
    }
    await expect
      .poll(stored)
      .toEqual(["kitchen0|temperature|0.5", "kitchen1|temperature|1.5", "kitchen2|temperature|2.5"]);
  });

  it("subscribe to devices' messages, and to retained messages", async () => {
    const { host, port } = await startMesh();
    const message = ["-t", "kitchen/temperature", "-m", "21.5"];
    await run("mosquitto_pub", ["-h", host, "-p", port, "-q", "1", "-r", ...message]);
    const { stdout } = await run("mosquitto_sub", [
      "-h",
      host,
      "-p",
      port,
      "-t",
      "kitchen/#",
      "-C",
      "1",
      "-W",
      "20",
    ]);
    expect(stdout).toBe("21.5\n");
  });

  it("receive the reason of a rejection with version 5", async () => {
    const { host, port } = await startMesh();
    const message = ["-t", "kitchen/temperature", "-m", "999"];
    const { stderr } = await run("mosquitto_pub", [
      "-h",
      host,
      "-p",
      port,
      "-V",
      "mqttv5",
      "-q",
      "1",
      ...message,
    ]).catch((error: { stderr: string }) => error);
    expect(stderr).toContain("Payload format invalid");
  });
});

const paho = `
import json, sys
import paho.mqtt.client as mqtt
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=getattr(mqtt, sys.argv[3]))
client.connect(sys.argv[1], int(sys.argv[2]))
client.loop_start()
sent = [client.publish("greenhouse", json.dumps({"temperature": i % 100, "timestamp": 1680033862 + i}), qos=i % 3) for i in range(200)]
for message in sent:
    message.wait_for_publish(30)
client.disconnect()
client.loop_stop()
`;

it.skipIf(findGatewayPython() === undefined).each(["MQTTv31", "MQTTv311", "MQTTv5"])(
  "paho-mqtt publishes 200 readings over %s",
  async (version) => {
    const { host, port, stored } = await startMesh();
    await python(paho, host, port, version);
    const expected = Array.from({ length: 200 }, (_, i) => `greenhouse|temperature|${i % 100}`).sort();
    await expect.poll(stored).toEqual(expected);
  },
);

const influx = `
import sys
from influxdb_client import InfluxDBClient, Point, WritePrecision
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
with InfluxDBClient(url=sys.argv[1], token="none", org="o", enable_gzip=True) as client:
    assert client.ping() and client.health().status == "pass"
    api = client.write_api(write_options=SYNCHRONOUS)
    points = [Point("air").tag("host", "pi").field("temperature", float(i % 100)).time(1680033862 + i, WritePrecision.S) for i in range(500)]
    api.write(bucket="b", record=points, write_precision=WritePrecision.S)
    try:
        api.write(bucket="b", record=["air,host=pi temperature=1 1", "air,host=pi temperature=999"])
    except ApiException as error:
        print(error.status, error.body)
    with client.write_api() as batching:
        batching.write(bucket="b", record=Point("air").tag("host", "batch").field("humidity", 40))
`;

it.skipIf(findGatewayPython() === undefined)(
  "the official client of InfluxDB writes single points and batches, and reports rejected lines",
  async () => {
    const { mesh, stored } = await startMesh();
    const output = await python(influx, `http://${mesh.query}`);
    expect(output).toMatch(/^400 .*line 1: timestamp: .*line 2: temperature: must be/s);
    const expected = [...Array(500).keys()].map((i) => `pi|temperature|${i % 100}`);
    await expect.poll(stored).toEqual([...expected, "batch|humidity|40"].sort());
  },
);
