import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { findTelegraf } from "@devicemesh/engines/testing/host-tools";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { listReadings, startTestMesh } from "@devicemesh/standalone/testing/test-mesh";
import { expect, it } from "vitest";
import { blocks } from "../testing/readme-blocks.ts";

const run = promisify(execFile);
const telegraf = findTelegraf();
const page = readFileSync(fileURLToPath(new URL("../../docs/gateway.md", import.meta.url)), "utf8");

it.skipIf(telegraf === undefined)(
  "Telegraf sends with the configuration of the recipe, and logs the rejected line",
  { timeout: 180_000 },
  async () => {
    const [recipe] = blocks(page.split("## Telegraf\n")[1] ?? "", "toml");
    if (recipe === undefined) throw new Error("docs/gateway.md has no configuration of Telegraf");
    const mesh = await startTestMesh();
    using folder = temporaryFolder();
    const lines = Array.from(
      { length: 2000 },
      (_, i) => `air temperature=${i % 100} ${1680033862 + i}000000000`,
    );
    const readings = join(folder.path, "readings.lp");
    writeFileSync(readings, `${lines.join("\n")}\nair temperature=999 1680033000000000000\n`);
    // The sensors of this machine vary: the readings come from a file.
    const file = `[[inputs.file]]\n  files = [${JSON.stringify(readings)}]\n  data_format = "influx"\n`;
    const config = join(folder.path, "telegraf.conf");
    const here = recipe.replaceAll("127.0.0.1:8080", mesh.query);
    writeFileSync(config, `[agent]\n  hostname = "cellar"\n  metric_batch_size = 500\n${here}\n${file}`);
    const env = { HOME: folder.path, PATH: process.env.PATH, DEVICE_TOKEN: "none" };
    const log = await run(telegraf!, ["--once", "--config", config], { env, timeout: 150_000 }).then(
      ({ stderr }) => stderr,
      (error: { stderr: string }) => error.stderr,
    );
    expect(log).toContain("temperature: must be");
    const answer = await fetch(`http://${mesh.query}/v1/readings?device=cellar&sensor=temperature`);
    const [, ...rows] = (await answer.text()).trim().split("\n");
    const times = rows.map((row) => row.split(",")[0] ?? "").filter((time) => time.startsWith("2023-03-28"));
    expect(times).toHaveLength(2000);
    expect((await listReadings(mesh)).map(({ value }) => value)).not.toContain(999);
  },
);
