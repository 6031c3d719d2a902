import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePorts } from "@devicemesh/engines/plans/free-ports";
import { findNpmProgram } from "@devicemesh/engines/testing/host-tools";
import { temporaryFolder, waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { listReadings, startTestMesh } from "@devicemesh/standalone/testing/test-mesh";
import { expect, it } from "vitest";
import { blocks } from "../testing/readme-blocks.ts";

const nodeRed = findNpmProgram("node-red");

/** The text of the function node in the recipe. */
function recipe(): string {
  const page = readFileSync(fileURLToPath(new URL("../../docs/gateway.md", import.meta.url)), "utf8");
  const [code] = blocks(page.split("## Node-RED\n")[1] ?? "", "js");
  if (code === undefined) throw new Error("docs/gateway.md has no function node in its section Node-RED");
  return code;
}

/** The two ways of the recipe: a function before an http request node, and an mqtt out node. */
function flowsOf(mesh: {
  readonly http: string;
  readonly mqtt: { readonly host: string; readonly port: string };
}) {
  const z = "flow";
  // A node without a place is a configuration.
  const place = { z, x: 0, y: 0 };
  // Repeated: an mqtt out node drops what it receives before it is connected.
  const inject = (id: string, payload: string, wires: string[]) => ({
    ...{ ...place, id, type: "inject", once: true, onceDelay: 0.1, repeat: "1", crontab: "", topic: "" },
    ...{ props: [{ p: "payload" }], payload, payloadType: "num", wires: [wires] },
  });
  return [
    { id: z, type: "tab", label: "mesh" },
    inject("by-http", "21.5", ["reading"]),
    { ...place, id: "reading", type: "function", func: recipe(), outputs: 1, wires: [["post"]] },
    {
      ...{ ...place, id: "post", type: "http request", method: "POST", ret: "txt", wires: [[]] },
      url: `http://${mesh.http}/v1/readings`,
    },
    inject("by-mqtt", "22.5", ["publish"]),
    {
      ...place,
      id: "publish",
      type: "mqtt out",
      topic: "cellar/temperature",
      qos: "1",
      broker: "mesh",
      wires: [],
    },
    { id: "mesh", type: "mqtt-broker", broker: mesh.mqtt.host, port: mesh.mqtt.port, protocolVersion: "4" },
  ];
}

it.skipIf(nodeRed === undefined)(
  "Node-RED sends readings with the function, http request and mqtt out nodes of the recipe",
  { timeout: 180_000 },
  async () => {
    const mesh = await startTestMesh("--mqtt-port", "0");
    const [host = "", mqttPort = ""] = (mesh.mqtt ?? "").split(":");
    using folder = temporaryFolder();
    const flows = flowsOf({ http: mesh.query, mqtt: { host, port: mqttPort } });
    writeFileSync(join(folder.path, "flows.json"), JSON.stringify(flows));
    const [port = 0] = await freePorts(1);
    const settings = {
      uiHost: "127.0.0.1",
      uiPort: port,
      flowFile: "flows.json",
      telemetry: { enabled: false },
    };
    writeFileSync(join(folder.path, "settings.js"), `module.exports = ${JSON.stringify(settings)};`);
    const child = spawn(process.execPath, [nodeRed!, "--userDir", folder.path], {
      env: { HOME: folder.path, PATH: process.env.PATH },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const exited = once(child, "exit");
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    try {
      let stored: readonly string[] = [];
      const isStored = async () => {
        if (child.exitCode !== null) throw new Error("Node-RED has ended");
        const readings = await listReadings(mesh);
        const texts = readings.map(({ deviceId, sensor, value }) => `${deviceId}|${sensor}|${value}`);
        stored = [...new Set(texts)].sort();
        return stored.length === 2;
      };
      await waitUntil(isStored, { timeoutMs: 100_000, everyMs: 100, what: "both are stored" }).catch(
        (error: Error) => {
          throw new Error(`${error.message}; ${stored}\n${output.slice(-3000)}`);
        },
      );
      expect(stored).toEqual(["cellar|temperature|22.5", "kitchen|temperature|21.5"]);
    } finally {
      child.kill("SIGKILL");
      await exited;
    }
  },
);
