import { execFile, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { listReadings, startTestMesh } from "@devicemesh/standalone/testing/test-mesh";
import { describe, expect, it } from "vitest";
import { blocks } from "../testing/readme-blocks.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
const page = readFileSync(join(root, "docs/gateway.md"), "utf8");
const hasMosquitto = spawnSync("mosquitto_pub", ["--help"]).error === undefined;

/** The code blocks below a heading of the page on the gateway. */
function under(heading: string, language: string): readonly string[] {
  const text = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  if (text === undefined) throw new Error(`docs/gateway.md has no heading ${heading}`);
  return blocks(text, language);
}

/** A mesh of its own, whose ports replace those of the documents. */
async function startMesh() {
  const mesh = await startTestMesh("--mqtt-port", "0");
  const mqttPort = (mesh.mqtt ?? "").split(":")[1] ?? "";
  const stored = async (): Promise<readonly string[]> =>
    (await listReadings(mesh)).map(({ deviceId, sensor, value }) => `${deviceId}|${sensor}|${value}`).sort();
  return { mesh, mqttPort, stored, here: (code: string) => code.replaceAll("127.0.0.1:8080", mesh.query) };
}

it("the fifteen lines of TypeScript in client/README.md send readings", async () => {
  const { stored, here } = await startMesh();
  const [code = ""] = blocks(readFileSync(join(root, "client/README.md"), "utf8"), "ts");
  expect(code.trim().split("\n").length).toBeLessThanOrEqual(15);
  await run(process.execPath, ["--input-type=module-typescript", "-e", here(code)], {
    cwd: root,
    timeout: 60_000,
  });
  expect(await stored()).toEqual(["kitchen|co2|415", "kitchen|temperature|21.5"]);
}, 90_000);

describe("docs/gateway.md", () => {
  it.skipIf(!hasMosquitto)(
    "sends with curl and mosquitto_pub",
    async () => {
      const { mqttPort, stored, here } = await startMesh();
      const commands = blocks(page, "sh")[1]!.replace(
        "mosquitto_pub ",
        `mosquitto_pub -h 127.0.0.1 -p ${mqttPort} `,
      );
      const { stdout } = await run("bash", ["-ec", here(commands)], { timeout: 60_000 });
      expect(stdout).toContain('"accepted":2');
      expect(await stored()).toEqual([
        "kitchen|humidity|40",
        "kitchen|temperature|21.5",
        "kitchen|temperature|21.5",
        "kitchen|temperature|21.5",
      ]);
    },
    90_000,
  );

  it("prepares the message of Node-RED's http request node", async () => {
    const { mesh, stored } = await startMesh();
    const [code = ""] = under("Node-RED", "js");
    const prepare = new Function("msg", code) as (msg: object) => {
      headers: Record<string, string>;
      payload: unknown;
    };
    const { headers, payload } = prepare({ payload: 20.25 });
    // The node writes an object as JSON.
    const body = JSON.stringify(payload);
    const response = await fetch(`http://${mesh.query}/v1/readings`, { method: "POST", headers, body });
    expect(response.status).toBe(200);
    expect(await stored()).toEqual(["kitchen|temperature|20.25"]);
  }, 90_000);
});
