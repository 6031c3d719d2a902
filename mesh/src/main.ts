import { untilShutdownSignal } from "@devicemesh/kit/lifetime/shutdown-signal";
import { loadSettings } from "@devicemesh/kit/settings/define-settings";
import { refuseReplay, replayInto } from "@devicemesh/standalone/replay-into";
import { banner } from "./banner.ts";
import { type MeshConfig, meshSettings } from "./settings.ts";
import { type Mesh, startMesh } from "./start.ts";
import { readMeshStatus, statusText } from "./status.ts";
import { createStepList } from "./step-list.ts";

const loaded = loadSettings(meshSettings, { args: process.argv.slice(2), env: process.env });
if (loaded.kind !== "settings") {
  (loaded.kind === "help" ? process.stdout : process.stderr).write(loaded.text);
  process.exitCode = loaded.kind === "help" ? 0 : 2;
} else if (loaded.positionals[0] === "status") {
  process.stdout.write(statusText(loaded.values.data, await readMeshStatus(loaded.values.data)));
} else if (loaded.positionals.length > 0) {
  process.stderr.write(`${loaded.positionals[0]} is no command: npm run mesh -- [status] [flags]\n`);
  process.exitCode = 2;
} else {
  await run(loaded.values);
}

async function run(config: MeshConfig): Promise<void> {
  const stopped = new AbortController();
  const signal = untilShutdownSignal().finally(() => stopped.abort(new Error("stopped by a signal")));
  const { stdout, stderr } = process;
  await refuseReplay(config.replay);
  let mesh: Mesh;
  try {
    mesh = await startMesh(config, {
      env: process.env,
      createList: createStepList,
      tell: (line) => stderr.write(`devicemesh: ${line}\n`),
      signal: stopped.signal,
    });
  } catch (error) {
    if (stopped.signal.aborted) {
      stdout.write("stopped while it was starting\n");
      return process.exit();
    }
    stderr.write(`devicemesh: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
    return process.exit();
  }
  stdout.write(banner(config, mesh));
  if (config.replay !== undefined) {
    const target = mesh.services.get("envoy").address;
    await replayInto({ file: config.replay, target, signal: stopped.signal, stdout, stderr });
  }
  await signal;
  stdout.write("\nstopping ...\n");
  await mesh.close();
  stdout.write("stopped; everything acknowledged is stored\n");
  process.exit();
}
