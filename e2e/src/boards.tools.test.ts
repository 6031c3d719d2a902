import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { findCompiler, findNpmProgram } from "@devicemesh/engines/testing/host-tools";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { listReadings, startTestMesh } from "@devicemesh/standalone/testing/test-mesh";
import { expect, it } from "vitest";
import { runMicroPython } from "../testing/boards/micropython.ts";
import { blocks } from "../testing/readme-blocks.ts";

const run = promisify(execFile);
const page = readFileSync(fileURLToPath(new URL("../../docs/gateway.md", import.meta.url)), "utf8");
const standIns = fileURLToPath(new URL("../testing/boards/arduino", import.meta.url));
const microPython = findNpmProgram("@micropython/micropython-webassembly-pyscript");
const compiler = findCompiler();

/** The code of a recipe, word by word. */
function recipe(heading: string, language: string): string {
  const [code] = blocks(page.split(`## ${heading}\n`)[1] ?? "", language);
  if (code === undefined) throw new Error(`docs/gateway.md has no ${language} under ${heading}`);
  return code;
}

it.skipIf(microPython === undefined)(
  "MicroPython runs the recipe of the ESP32, whose clock counts from 2000, until it receives a PUBACK",
  { timeout: 120_000 },
  async () => {
    const mesh = await startTestMesh("--mqtt-port", "0");
    const [host = "", port = ""] = (mesh.mqtt ?? "").split(":");
    const sensor = "def read_temperature():\n    return 19.5\n";
    const program = `${sensor}\n${recipe("ESP32, MicroPython, MQTT", "python")}`;
    const before = Date.now();
    const output = await runMicroPython(program, { runtime: microPython!, host, port: Number(port) });
    expect(output).toBe("PUBACK\nslept\n");
    const [stored, ...others] = await listReadings(mesh);
    expect(others).toEqual([]);
    expect(stored).toMatchObject({ deviceId: "esp32-1", sensor: "temperature", value: 19.5 });
    // The clock has whole seconds.
    expect(Date.parse(stored!.timestamp)).toBeGreaterThanOrEqual(before - 1000);
    expect(Date.parse(stored!.timestamp)).toBeLessThanOrEqual(Date.now());
  },
);

it.skipIf(compiler === undefined)(
  "the recipe of the ESP32 in C++ compiles, and the reading it sends is stored",
  { timeout: 120_000 },
  async () => {
    const mesh = await startTestMesh();
    const [host = "", port = ""] = mesh.query.split(":");
    using folder = temporaryFolder();
    const [source, program] = [join(folder.path, "recipe.cpp"), join(folder.path, "recipe")];
    const main = "int main() { return sendReading(21.456f) ? 0 : 1; }\n";
    writeFileSync(source, `${recipe("ESP32, Arduino, HTTP", "cpp")}\n${main}`);
    await run(compiler!, ["-std=c++17", "-Wall", "-Werror", "-I", standIns, "-o", program, source]);
    const env = { ...process.env, MESH_HOST: host, MESH_PORT: port };
    const { stdout } = await run(program, [], { env, timeout: 60_000 });
    expect(stdout).toContain('"accepted":1');
    expect(
      (await listReadings(mesh)).map(({ deviceId, sensor, value }) => [deviceId, sensor, value]),
    ).toEqual([["esp32-1", "temperature", 21.46]]);
  },
);
