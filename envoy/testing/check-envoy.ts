// Lets the real Envoy validate envoy/envoy.yaml: with the required settings alone, and with every part. A warning of
// Envoy, such as one about a deprecated field, counts as a failure.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureEnvoy, findEnvoy } from "@devicemesh/engines/testing/host-tools";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { renderEnvoy, validateConfig } from "../src/index.ts";
import { sampleSettings } from "./sample-settings-fixture.ts";

ensureEnvoy();
const binary = findEnvoy();
if (binary === undefined) {
  console.error("Envoy is not there and could not be installed");
  process.exit(1);
}
using folder = temporaryFolder();
for (const [name, settings] of Object.entries(await sampleSettings(folder.path))) {
  const file = join(folder.path, `${name}.yaml`);
  writeFileSync(file, renderEnvoy(settings));
  const warnings = await validateConfig(binary, file);
  if (warnings !== "") {
    console.error(`${name}:\n${warnings}`);
    process.exitCode = 1;
  }
}
