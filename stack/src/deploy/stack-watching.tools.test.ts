import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readStack, type StackService } from "../../testing/stack-fixture.ts";
import { mountedFiles, projectFolder, stackFiles } from "./stack-files.ts";

const { services, configs } = readStack("swarm", process.env);
const grafana = services.grafana as StackService;
const mounted = mountedFiles(stackFiles("swarm"));

/** The path of a file of the project for Grafana. */
function seenAt(file: string): string | undefined {
  const key = mounted.find((one) => one.file === file)?.key;
  return grafana.configs?.find(({ source }) => source === key)?.target;
}

function provisioned(file: string): unknown {
  return parse(readFileSync(join(projectFolder, "stack/grafana/provisioning", file), "utf8"));
}

describe("Grafana in the stack", () => {
  it("finds every board in the folder of its provider, including its home", () => {
    const { providers } = provisioned("dashboards/devicemesh.yml") as {
      providers: { options: { path: string } }[];
    };
    const boards = readdirSync(join(projectFolder, "stack/grafana/boards"));
    expect(boards.length).toBeGreaterThan(0);
    for (const board of boards) {
      const target = seenAt(`stack/grafana/boards/${board}`) ?? `${board} is not mounted`;
      expect(dirname(target)).toBe(providers[0]?.options.path);
    }
    const home = grafana.environment?.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH;
    expect(boards.map((board) => seenAt(`stack/grafana/boards/${board}`))).toContain(home);
  });

  it("finds its provisioning in the folder of its image", () => {
    for (const folder of ["dashboards", "datasources"]) {
      for (const file of readdirSync(join(projectFolder, "stack/grafana/provisioning", folder))) {
        expect(seenAt(`stack/grafana/provisioning/${folder}/${file}`)).toBe(
          `/etc/grafana/provisioning/${folder}/${file}`,
        );
      }
    }
  });

  it("reaches the Prometheus that its data source names", () => {
    const { datasources } = provisioned("datasources/prometheus.yml") as { datasources: { url: string }[] };
    const { hostname, port } = new URL(datasources[0]?.url ?? "");
    const prometheus = services[hostname] as StackService;
    expect(port).toBe("9090");
    const shared = Object.keys(prometheus.networks ?? {}).filter(
      (network) => network in (grafana.networks ?? {}),
    );
    expect(shared).toEqual(["admin"]);
  });
});

describe("Prometheus in the stack", () => {
  it("finds its rules beside its configuration", () => {
    const targets = (services.prometheus as StackService).configs?.map(({ source, target }) => [
      configs[source]?.file.slice(projectFolder.length + 1),
      target,
    ]);
    expect(targets).toEqual([
      ["stack/prometheus/prometheus.yml", "/etc/prometheus/prometheus.yml"],
      ["stack/prometheus/rules.yml", "/etc/prometheus/rules.yml"],
    ]);
  });
});
