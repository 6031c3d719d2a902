import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findConformance } from "@devicemesh/engines/testing/host-tools";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { suiteProtos } from "../testing/conformance/messages.ts";
import { listenForRelays } from "../testing/conformance/suite-servers.ts";
import { envoyBinary, runProgram } from "../testing/edge-fixture.ts";

const suite = findConformance();
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const buf = here("../../node_modules/@bufbuild/buf/bin/buf");

/** Fewer cases than this mean that suite.yaml has lost a feature. */
const casesMin = 3000;

describe.skipIf(envoyBinary === undefined || suite === undefined)("the conformance suite of Connect", () => {
  it("passes through Envoy: Connect, gRPC and gRPC-Web, HTTP/1.1 and HTTP/2, with and without TLS", async () => {
    using folder = temporaryFolder();
    const image = join(folder.path, "suite.binpb");
    const built = await runProgram(process.execPath, [
      ...[buf, "build", "--config", '{"version":"v2"}', "--exclude-source-info", "-o", image],
      suite?.protos ?? "",
    ]);
    expect([built.code, built.stderr]).toEqual([0, ""]);

    await using servers = await listenForRelays(suiteProtos(readFileSync(image)), envoyBinary ?? "");
    const { code, stdout, stderr } = await runProgram(suite?.runner ?? "", [
      ...[
        "--mode",
        "server",
        "--conf",
        here("../testing/conformance/suite.yaml"),
        "--max-servers",
        "2",
        "--parallel",
        "4",
        "--",
      ],
      ...[process.execPath, here("../testing/conformance/relay.ts"), `${servers.port}`],
    ]);
    const output = `${stdout}${stderr}`;
    const [, total] = /Total cases: (\d+)/.exec(output) ?? [];
    const [, passed, failed] = /(\d+) passed, (\d+) failed/.exec(output) ?? [];
    process.stdout.write(`conformance through Envoy: ${passed} of ${total} cases pass\n`);
    expect([code, failed, output.slice(0, 3000 * Number(failed !== "0"))]).toEqual([0, "0", ""]);
    expect(Number(passed)).toBe(Number(total));
    expect(Number(total)).toBeGreaterThan(casesMin);
  }, 600_000);
});
