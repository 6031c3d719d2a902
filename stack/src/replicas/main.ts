import { loadSettings } from "@devicemesh/kit/settings/define-settings";
import { listOf } from "@devicemesh/kit/settings/list-of";
import { readUnderReplicated } from "./kafka-replicas.ts";
import { readUnreadyMembers } from "./mongo-members.ts";
import { replicasSettings } from "./settings.ts";
import { waitForReplicas } from "./wait-for-replicas.ts";

const everyMs = 2000;

const loaded = loadSettings(replicasSettings, { args: process.argv.slice(2), env: process.env });
if (loaded.kind !== "settings") {
  (loaded.kind === "help" ? process.stdout : process.stderr).write(loaded.text);
  process.exit(loaded.kind === "help" ? 0 : 2);
}
// The job has no resources to close.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));

const { brokers, members, timeout } = loaded.values;
try {
  await waitForReplicas(
    {
      partitions: () => readUnderReplicated(listOf(brokers)),
      members: () => readUnreadyMembers(listOf(members)),
    },
    { limitMs: timeout, everyMs, report: (line) => void process.stdout.write(`${line}\n`) },
  );
} catch (error) {
  process.stderr.write(`replicas: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
process.exit();
