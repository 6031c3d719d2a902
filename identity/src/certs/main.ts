import { runCommand } from "@devicemesh/kit/lifetime/run-command";
import { openCredentialFolder } from "./credential-folder.ts";
import { makeCredentials } from "./make-credentials.ts";
import { certsReport } from "./report.ts";
import { type CertsConfig, certsSettings } from "./settings.ts";

async function run(config: CertsConfig): Promise<number> {
  const nowMs = Date.now();
  const credentials = await makeCredentials(config, { folder: openCredentialFolder(config.out), nowMs });
  process.stdout.write(certsReport(config, credentials, { folder: config.out, nowMs }));
  return 0;
}

await runCommand({ name: "certs", definition: certsSettings, run }, process);
