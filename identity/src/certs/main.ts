import { loadSettings } from "@devicemesh/kit/settings/define-settings";
import { openCredentialFolder } from "./credential-folder.ts";
import { makeCredentials } from "./make-credentials.ts";
import { certsReport } from "./report.ts";
import { type CertsConfig, certsSettings } from "./settings.ts";

const loaded = loadSettings(certsSettings, { args: process.argv.slice(2), env: process.env });
if (loaded.kind === "settings") {
  await run(loaded.values);
} else {
  (loaded.kind === "help" ? process.stdout : process.stderr).write(loaded.text);
  process.exitCode = loaded.kind === "help" ? 0 : 2;
}

async function run(config: CertsConfig): Promise<void> {
  const nowMs = Date.now();
  try {
    const credentials = await makeCredentials(config, { folder: openCredentialFolder(config.out), nowMs });
    process.stdout.write(certsReport(config, credentials, { folder: config.out, nowMs }));
  } catch (error) {
    const isToldByMessage = error instanceof RangeError || (error instanceof Error && "code" in error);
    process.stderr.write(
      `certs: ${isToldByMessage ? error.message : error instanceof Error ? error.stack : error}\n`,
    );
    process.exitCode = 1;
  }
}
