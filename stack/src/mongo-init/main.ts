import { withoutCredentials } from "@devicemesh/kit/observability/redact-credentials";
import { loadSettings } from "@devicemesh/kit/settings/define-settings";
import { SettingsError } from "@devicemesh/kit/settings/settings-error";
import { createMongoServers } from "./mongo-servers.ts";
import { setUpReplicaSet } from "./set-up.ts";
import { mongoInitSettings, planOf } from "./settings.ts";

/** Delay between two attempts; an election takes a few seconds. */
const everyMs = 1000;

const loaded = loadSettings(mongoInitSettings, { args: process.argv.slice(2), env: process.env });
if (loaded.kind !== "settings") {
  (loaded.kind === "help" ? process.stdout : process.stderr).write(loaded.text);
  process.exit(loaded.kind === "help" ? 0 : 2);
}

// The job has no resources to close: its results are permanent, and the next run continues from there.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));

const say = (line: string): void => void process.stdout.write(`${line}\n`);
try {
  const plan = planOf(loaded.values);
  await setUpReplicaSet(plan, {
    servers: createMongoServers(plan),
    patience: {
      over: AbortSignal.timeout(loaded.values.timeout),
      everyMs,
      onWait: (what, reason) => say(`waiting for ${what}: ${reason}`),
    },
    report: say,
  });
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`mongo-init: ${withoutCredentials(message)}\n`);
  process.exitCode = error instanceof SettingsError ? 2 : 1;
}
// A timer for the rest of --timeout must not keep a finished job alive.
process.exit();
