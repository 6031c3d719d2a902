import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { delimiter, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { findEnvoy, findGrpcurl } from "@devicemesh/engines/testing/host-tools";
import { type Envoy, startEnvoy } from "@devicemesh/envoy";
import { importSettings } from "@devicemesh/import/settings";
import { settingsTable } from "@devicemesh/kit/settings/define-settings";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { embeddedSettings } from "@devicemesh/standalone";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type MeshProcess, startMesh } from "../testing/mesh-process.ts";
import { blocks, section } from "../testing/readme-blocks.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const [readme, calls, standalone] = ["README.md", "docs/calls.md", "standalone/README.md"].map((page) =>
  readFileSync(`${root}${page}`, "utf8"),
) as [string, string, string];
const grpcurl = findGrpcurl();
const envoy = findEnvoy();

it("standalone/README.md lists the settings as they are", () => {
  expect(section(standalone, "settings").trim()).toBe(settingsTable(embeddedSettings).trim());
});

// Without grpcurl and Go to install it, or without Envoy, the test command prints a notice, and CI counts these as
// failures.
describe.each([
  ["npm start", false],
  ["the services of npm start behind Envoy, as npm run mesh has them", true],
] as const)(
  "the calls in README.md and docs/calls.md, to %s",
  { skip: grpcurl === undefined || envoy === undefined },
  (_, isBehindEnvoy) => {
    let mesh: MeshProcess;
    let edge: Envoy | undefined;
    let address: string;
    const folder = temporaryFolder();

    async function run(line: string): Promise<string> {
      // Without npm: it would install stale dependencies during concurrent tests.
      const here = line
        .replaceAll("127.0.0.1:8080", address)
        .replace("npm run import --", `${process.execPath} import/src/main.ts`);
      const env = {
        ...process.env,
        PATH: `${dirname(grpcurl ?? "")}${delimiter}${process.env.PATH}`,
        [importSettings.settings.to.env]: address,
      };
      const { stdout } = await promisify(execFile)("sh", ["-c", here], { env, cwd: root });
      return stdout;
    }

    beforeAll(async () => {
      mesh = await startMesh(folder.path, []);
      edge = isBehindEnvoy ? await startEdge(mesh) : undefined;
      address = edge ? `127.0.0.1:${edge.plain.port}` : mesh.query;
      const [load = ""] = blocks(section(readme, "test: load"), "sh");
      expect(await run(load)).toContain("17,518 stored");
    }, 180_000);
    afterAll(async () => {
      await edge?.[Symbol.asyncDispose]();
      await mesh?.stop();
      folder[Symbol.dispose]();
    });

    it("print the documented answer", async () => {
      const text = section(readme, "test: seattle");
      const [call = ""] = blocks(text, "sh");
      const shown = JSON.parse(blocks(text, "json")[0] ?? "");
      const answer = JSON.parse(await run(call));
      const [{ standardDeviation, ...row }] = answer.rows;
      const [{ standardDeviation: shownDeviation, ...shownRow }] = shown.rows;
      expect(row).toEqual(shownRow);
      // Its last digits depend on the number of windows that were closed by then.
      expect(standardDeviation).toBeCloseTo(shownDeviation, 9);
      expect(Object.keys(answer.coverage)).toContain("completeThrough");
      expect(row).toMatchObject({ count: "8759", minimum: 3.1, maximum: 24.4, sum: 97466.8 });
      expect(row.average).toBeCloseTo(11.1276173079, 9);
    });

    const lines = blocks(section(calls, "test: calls"), "sh")
      .join("\n")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
    it.each(lines)("%s", async (line) => {
      expect((await run(line)).trim()).not.toBe("");
    });

    it("count each sent reading once", async () => {
      const answer = JSON.parse(
        await run(
          `grpcurl -plaintext -d '{"device_ids":["my-thermostat"]}' 127.0.0.1:8080 devicemesh.v1.QueryService/GetAggregates`,
        ),
      );
      expect(answer.rows).toMatchObject([{ deviceId: "my-thermostat", count: "2", average: 21.75 }]);
    });

    it("work with buf curl too, from reflection alone", async () => {
      const buf = `node ${root}node_modules/@bufbuild/buf/bin/buf curl --http2-prior-knowledge`;
      const data = `-d '{"device_ids":["seattle-barometer"]}'`;
      for (const protocol of ["grpc", "grpcweb", "connect"]) {
        const answer = JSON.parse(
          await run(
            `${buf} --protocol ${protocol} ${data} http://127.0.0.1:8080/devicemesh.v1.QueryService/GetAggregates`,
          ),
        );
        expect(answer.rows).toMatchObject([{ count: "8759", minimum: 1015.4, maximum: 1019.5 }]);
        expect(answer.rows[0].sum).toBeCloseTo(8909836.9, 6);
      }
    });
  },
);

function startEdge({ ingest, query }: MeshProcess): Promise<Envoy> {
  const at = (address: string) => [{ host: "127.0.0.1", port: Number(address.split(":")[1]) }];
  return startEnvoy({
    binary: envoy ?? "",
    drainMs: 0,
    openCallsMs: 0,
    plain: { host: "127.0.0.1", port: 0 },
    metrics: { host: "127.0.0.1", port: 0 },
    ingest: at(ingest),
    query: at(query),
    generator: at(query),
  });
}
