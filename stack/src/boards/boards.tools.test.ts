import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findPrometheus } from "@devicemesh/engines/testing/host-tools";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { asGrafanaSends } from "../monitoring/monitoring.ts";
import { boardFiles } from "./boards.ts";

const grafana = fileURLToPath(new URL("../../grafana/", import.meta.url));
const prometheusFile = fileURLToPath(new URL("../../prometheus/prometheus.yml", import.meta.url));
const prometheus = findPrometheus();

type Target = { readonly expr: string; readonly legendFormat: string; readonly datasource: object };
type Panel = {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: object;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly Target[];
};
type GrafanaBoard = {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list?: readonly { readonly name: string; readonly datasource: object }[] };
};

// The committed files, which Grafana reads.
const files = readdirSync(join(grafana, "boards"));
const boards = files.map(
  (name) => JSON.parse(readFileSync(join(grafana, "boards", name), "utf8")) as GrafanaBoard,
);
const yamlOf = (path: string) => parse(readFileSync(path, "utf8")) as Record<string, unknown>;
const [source] = yamlOf(join(grafana, "provisioning/datasources/prometheus.yml")).datasources as readonly {
  readonly uid: string;
  readonly type: string;
  readonly jsonData: { readonly timeInterval: string };
}[];
const shown = boards.flatMap((board) =>
  board.panels
    .filter(({ type }) => type !== "row")
    .map((panel) => ({ panel, name: `${board.title}: ${panel.title}` })),
);

describe("boards", () => {
  it("are committed in their current form", () => {
    expect(Object.fromEntries(files.map((name, i) => [name, boards[i]]))).toEqual(
      Object.fromEntries([...boardFiles()].map(([name, content]) => [name, JSON.parse(content)])),
    );
  });

  it("have the schema of Grafana 11 and 12, and unique URLs that match their file names", () => {
    for (const { schemaVersion } of boards) expect(schemaVersion).toBeGreaterThanOrEqual(39);
    expect(boards.map(({ uid }) => `${uid.replace("devicemesh-", "")}.json`)).toEqual(files);
    expect(new Set(boards.map(({ title }) => title)).size).toBe(boards.length);
    for (const { description, title } of boards) expect(description.length, title).toBeGreaterThan(40);
  });

  it("use only panels that Grafana has", () => {
    const types = new Set(shown.map(({ panel }) => panel.type));
    expect([...types].sort()).toEqual(["heatmap", "stat", "state-timeline", "timeseries"]);
  });

  it("have a unit and a description for each panel", () => {
    for (const { panel, name } of shown) {
      expect(panel.fieldConfig?.defaults.unit, name).toMatch(/^\w+$/);
      expect(panel.description?.length ?? 0, name).toBeGreaterThan(30);
      expect(panel.description, name).toMatch(/[.?]$/);
      expect(panel.targets?.length ?? 0, name).toBeGreaterThan(0);
      for (const { legendFormat } of panel.targets ?? []) expect(legendFormat, name).not.toBe("");
    }
  });

  it("query the provisioned data source, at the scrape interval of Prometheus", () => {
    const expected = { type: source?.type, uid: source?.uid };
    for (const { panel, name } of shown) {
      expect(panel.datasource, name).toEqual(expected);
      for (const target of panel.targets ?? []) expect(target.datasource, name).toEqual(expected);
    }
    for (const variable of boards.flatMap(({ templating }) => templating.list ?? [])) {
      expect(variable.datasource, variable.name).toEqual(expected);
    }
    const { scrape_interval: interval } = yamlOf(prometheusFile).global as Record<string, string>;
    expect(source?.jsonData.timeInterval).toBe(interval);
  });

  it("have unique panel ids, no overlapping panels, and none beyond the grid", () => {
    for (const { panels, title } of boards) {
      expect(new Set(panels.map(({ id }) => id)).size, title).toBe(panels.length);
      const taken = new Set<string>();
      for (const { gridPos, title: name } of panels) {
        expect(gridPos.x + gridPos.w, name).toBeLessThanOrEqual(24);
        expect(Object.values(gridPos).every(Number.isInteger), name).toBe(true);
        expect(gridPos.w, name).toBeGreaterThanOrEqual(4);
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
            expect(taken.has(`${x} ${y}`), `${title}: ${name}`).toBe(false);
            taken.add(`${x} ${y}`);
          }
        }
      }
    }
  });
});

describe.skipIf(prometheus === undefined)("every query", () => {
  it("is valid PromQL", () => {
    using folder = temporaryFolder();
    const file = join(folder.path, "queries.yml");
    const rules = shown
      .flatMap(({ panel }) => panel.targets ?? [])
      .map(({ expr }, index) => ({ record: `query_${index}`, expr: asGrafanaSends(expr) }));
    expect(rules.length).toBeGreaterThan(80);
    writeFileSync(file, JSON.stringify({ groups: [{ name: "queries", rules }] }));
    execFileSync(prometheus!.promtool, ["check", "rules", file], { stdio: "pipe" });
  });
});
