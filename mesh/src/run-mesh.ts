import { untilShutdownSignal } from "@devicemesh/kit/lifetime/shutdown-signal";
import { refuseReplay, replayInto } from "@devicemesh/standalone/replay-into";
import { banner } from "./banner.ts";
import type { MeshConfig } from "./settings.ts";
import { type Mesh, startMesh } from "./start.ts";
import { createStepList } from "./step-list.ts";

/** Runs the mesh until SIGINT or SIGTERM, prints events, and ends the process. */
export async function runMesh(config: MeshConfig, runtime: NodeJS.Process): Promise<never> {
  const stopped = new AbortController();
  const signal = untilShutdownSignal().finally(() => stopped.abort(new Error("stopped by a signal")));
  const { stdout, stderr } = runtime;
  await refuseReplay(config.replay, {});
  let mesh: Mesh;
  try {
    mesh = await startMesh(config, {
      env: runtime.env,
      createList: createStepList,
      report: (line) => stderr.write(`devicemesh: ${line}\n`),
      signal: stopped.signal,
    });
  } catch (error) {
    if (stopped.signal.aborted) {
      stdout.write("stopped while it was starting\n");
      return runtime.exit();
    }
    stderr.write(`devicemesh: ${error instanceof Error ? error.message : String(error)}\n`);
    return runtime.exit(1);
  }
  stdout.write(banner(config, mesh));
  if (config.replay !== undefined) {
    const target = mesh.services.get("envoy").address;
    await replayInto({ file: config.replay, target, sensors: {}, signal: stopped.signal, stdout, stderr });
  }
  await signal;
  stdout.write("\nstopping ...\n");
  await mesh.close();
  stdout.write("stopped; everything acknowledged is stored\n");
  return runtime.exit();
}
