import { join } from "node:path";
import { findEnvoy, findGo } from "@devicemesh/engines/testing/host-tools";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { afterAll, describe, expect, it } from "vitest";
import { describeClientExample } from "../../testing/examples/client-example.contract.ts";
import { readExample, runCommand } from "../../testing/examples/example-commands-fixture.ts";

const { folder } = readExample("go");
const built = temporaryFolder();
const program = join(built.path, "client");

/** Returns the output of a successful command of Go or buf. */
async function outputOf(command: string): Promise<string> {
  const { code, stdout, stderr } = await runCommand(command, folder);
  if (code !== 0) throw new Error(`${command}: ${stdout}${stderr}`);
  return stdout;
}

// Without Go, and Python to install Envoy, the test command prints a notice, and CI counts these as failures.
describe.skipIf(findGo() === undefined || findEnvoy() === undefined)("examples/go", () => {
  afterAll(() => built[Symbol.dispose]());

  describeClientExample({
    name: "go",
    program: () => program,
    async prepare() {
      await outputOf(`go build -o ${program} .`);
    },
  });

  it("is formatted and vetted, and its modules are in order", async () => {
    expect(await outputOf("gofmt -l .")).toBe("");
    await outputOf("go vet ./...");
    await outputOf("go mod tidy -diff");
  });

  it("has generated code that is fresh", async () => {
    using fresh = temporaryFolder();
    await outputOf(`buf generate -o ${fresh.path}`);
    await outputOf(`diff -r gen ${join(fresh.path, "gen")}`);
  }, 180_000);
});
