import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { startTestQuery, temperature, testNowMs } from "@devicemesh/query/testing/query-fixture";
import { expect, it } from "vitest";
import { blocks, section } from "../testing/readme-blocks.ts";

const recipes = fileURLToPath(new URL("../../docs/recipes/", import.meta.url));
const page = readFileSync(`${recipes}grafana.md`, "utf8");

type Board = {
  readonly panels: readonly {
    readonly datasource: { readonly uid: string; readonly type: string };
    readonly targets: readonly {
      readonly url: string;
      readonly columns: readonly { readonly selector: string }[];
    }[];
  }[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: string }[] };
};
const board = JSON.parse(readFileSync(`${recipes}grafana-readings.json`, "utf8")) as Board;

it("the dashboard requests URLs that query serves, and columns that they have", async () => {
  await using running = await startTestQuery();
  running.memory.append([temperature("thermostat-0001", -60_000), temperature("thermostat-0001", -1)]);
  const values: Readonly<Record<string, string>> = {
    mesh: running.baseUrl,
    device: "thermostat-0001",
    bucket: "1min",
    "__from:date:iso": new Date(testNowMs - 3_600_000).toISOString(),
    "__to:date:iso": new Date(testNowMs).toISOString(),
  };
  const filled = (url: string) =>
    url.replaceAll(/\$\{([\w:]+)\}/g, (_, name: string) => values[name] ?? `no ${name}`);
  const targets = board.panels.flatMap(({ targets }) => targets);
  const shown = (blocks(section(page, "query"), "text")[0] ?? "").trim();
  const columns = ["start", "sensor", "average"].map((selector) => ({ selector }));
  for (const target of [...targets, { url: shown, columns }]) {
    const response = await fetch(filled(target.url));
    expect([target.url, response.status]).toEqual([target.url, 200]);
    const [header = "", ...rows] = (await response.text()).trim().split("\n");
    expect(header.split(",")).toEqual(expect.arrayContaining(target.columns.map(({ selector }) => selector)));
    expect(rows.length).toBeGreaterThan(0);
  }
});

it("the dashboard uses the data source of the page, and query accepts its bucket sizes", async () => {
  await using running = await startTestQuery();
  const provisioned = section(page, "datasource");
  for (const { datasource } of board.panels) {
    expect(provisioned).toContain(`uid: ${datasource.uid}`);
    expect(provisioned).toContain(`type: ${datasource.type}`);
  }
  const sizes = board.templating.list.find(({ name }) => name === "bucket")?.query.split(",") ?? [];
  expect(sizes.length).toBeGreaterThan(1);
  for (const size of sizes)
    expect((await fetch(`${running.baseUrl}/v1/buckets?bucket=${size}`)).status).toBe(200);
});
