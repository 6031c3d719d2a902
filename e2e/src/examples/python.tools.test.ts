import { readFileSync } from "node:fs";
import { join } from "node:path";
import { findEnvoy, findExamplePython } from "@devicemesh/engines/testing/host-tools";
import { describe, expect } from "vitest";
import { describeClientExample } from "../../testing/examples/client-example.contract.ts";
import { readExample, runCommand } from "../../testing/examples/example-commands-fixture.ts";
import { blocks, section } from "../../testing/readme-blocks.ts";

const { folder } = readExample("python");
const venv = findExamplePython();
const adapt = (command: string): string => command.replaceAll(".venv", venv ?? "");

// Without Python to install it and Envoy, the test command prints a notice, and CI counts these as failures.
describe.skipIf(venv === undefined || findEnvoy() === undefined)("examples/python", () => {
  describeClientExample({
    name: "python",
    program: () => adapt(".venv/bin/python client.py"),
    adapt,
    /** The commands of the page, except its first two lines, which engines/testing/host-tools.ts has run. */
    async prepare() {
      const page = readFileSync(join(folder, "README.md"), "utf8");
      const [create, install, ...generate] = (blocks(section(page, "setup"), "sh")[0] ?? "").split("\n");
      expect([create, install]).toEqual([
        "python3 -m venv .venv",
        ".venv/bin/pip install -r requirements.txt",
      ]);
      const { code, stdout, stderr } = await runCommand(adapt(generate.join("\n")), folder);
      if (code !== 0) throw new Error(`${stdout}${stderr}`);
    },
  });
});
