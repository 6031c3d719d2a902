import { findEnvoy } from "@devicemesh/engines/testing/host-tools";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type ExampleMeshes,
  readExample,
  runShown,
  startExampleMeshes,
} from "../../testing/examples/example-commands-fixture.ts";

const { folder, commands } = readExample("buf");

/** Each command of the page in each protocol that it names: `unary, h1 (connect grpcweb)`. */
const cases = commands.flatMap(({ name, command, shown }) => {
  const [, what = "", http = "", protocols = ""] = /^(.+), (h1|h2c|TLS h2) \((.+)\)$/.exec(name) ?? [];
  return protocols.split(" ").map((protocol) => ({
    what,
    http,
    protocol,
    command: command.replace(/--protocol \w+/, `--protocol ${protocol}`),
    shown,
  }));
});

// Without Python to install Envoy, the test command prints a notice, and CI counts these as failures.
describe.skipIf(findEnvoy() === undefined)("buf curl, through Envoy", () => {
  let meshes: ExampleMeshes;
  beforeAll(async () => {
    meshes = await startExampleMeshes();
  });
  afterAll(() => meshes?.[Symbol.asyncDispose]());

  /** Returns the number of requests over each version of HTTP, from the counters of both Envoys. */
  async function requestsByHttp(): Promise<{ h1: number; h2: number }> {
    const counts = { h1: 0, h2: 0 };
    for (const { envoy } of [meshes.plain, meshes.secure]) {
      const answer = await fetch(`http://127.0.0.1:${envoy.metrics.port}/stats/prometheus?usedonly`);
      for (const [, version, prefix, count] of (await answer.text()).matchAll(
        /^envoy_http_downstream_cx_http([12])_total\{envoy_http_conn_manager_prefix="(\w+)"\} (\d+)$/gm,
      )) {
        if (prefix !== "metrics" && prefix !== "admin")
          counts[version === "1" ? "h1" : "h2"] += Number(count);
      }
    }
    return counts;
  }

  it("is documented for every protocol over each version of HTTP that it allows", () => {
    const cells = (kind: string) =>
      cases.filter(({ what }) => what === kind).map(({ http, protocol }) => `${http} ${protocol}`);
    const all = ["h1 connect", "h1 grpcweb"].concat(
      ["h2c", "TLS h2"].flatMap((http) =>
        ["connect", "grpc", "grpcweb"].map((protocol) => `${http} ${protocol}`),
      ),
    );
    expect(cells("unary")).toEqual(all);
    expect(cells("server stream")).toEqual(all);
  });

  it.each(cases)(
    "prints what its page shows: $what in $protocol over $http",
    async ({ command, shown, http }) => {
      const before = await requestsByHttp();
      await runShown(meshes.here(command), shown, folder);
      const after = await requestsByHttp();
      expect({ h1: after.h1 > before.h1, h2: after.h2 > before.h2 }).toEqual({
        h1: http === "h1",
        h2: http !== "h1",
      });
    },
  );

  it.each(["plain", "secure"] as const)("has stored exactly the sent readings: %s", async (where) => {
    expect(await meshes.storedIn(where, "demo-buf-")).toEqual([
      { deviceId: "demo-buf-barometer", sensor: "pressure", count: 1n, average: 1013.25 },
      { deviceId: "demo-buf-thermostat", sensor: "temperature", count: 3n, average: 20 },
    ]);
  });
});
