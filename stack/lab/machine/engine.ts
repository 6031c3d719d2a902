import { spawn } from "node:child_process";
import { mkdirSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { killProcesses, processesOf, unmountBelow } from "./leftovers.ts";
import { insideNamespace, labNetwork } from "./network.ts";
import type { RunOptions, Shell } from "./shell.ts";

/** A Docker engine of the lab: the one that builds, or a node of the Swarm. */
export type Engine = {
  readonly name: string;
  /** The value of DOCKER_HOST. */
  readonly host: string;
  /** Runs Docker's client against it. */
  docker(args: readonly string[], options?: RunOptions): Promise<string>;
  /** Starts it, and resolves when it answers. */
  start(): Promise<void>;
  /** Kills the engine, containerd, the shims and all containers at once, like a power cut. */
  kill(): Promise<void>;
};

const answerLimitMs = 180_000;
const pollMs = 250;

/** The options of an engine. `node` is absent for the engine that builds, which uses the machine's own network. */
export function createEngine(options: {
  readonly shell: Shell;
  readonly client: string;
  readonly folder: string;
  readonly name: string;
  readonly node?: number;
}): Engine {
  const { shell, client, name, node } = options;
  const folder = join(options.folder, name);
  const host = `unix://${folder}/sock`;
  const docker: Engine["docker"] = (args, { env, ...rest } = {}) =>
    shell.run([client, ...args], { ...rest, env: { DOCKER_HOST: host, DOCKER_BUILDKIT: "1", ...env } });

  function command(): readonly string[] {
    const dockerd = [
      ...["dockerd", "--data-root", join(folder, "data"), "--exec-root", join(folder, "exec")],
      ...["--pidfile", join(folder, "pid"), "--host", host, "--cgroup-parent", "dmlab"],
    ];
    if (node === undefined) {
      const alone = ["--iptables=false", "--ip6tables=false", "--ip-forward=false", "--bridge=none"];
      return [...dockerd, ...alone, "--insecure-registry", labNetwork.registry];
    }
    const flags = [
      ...["--bip", labNetwork.bridgeAddressOf(node), "--ip6tables=false"],
      ...["--default-address-pool", `base=${labNetwork.localPool},size=24`],
      ...["--insecure-registry", labNetwork.registry],
    ];
    // The host name is the name of its node in the Swarm.
    return insideNamespace(node, [
      ...["unshare", "--uts", "sh", "-c", `hostname ${name}; exec "$@"`, "_"],
      ...dockerd,
      ...flags,
    ]);
  }

  return {
    name,
    host,
    docker,
    async start() {
      mkdirSync(folder, { recursive: true });
      // Like after a power cut: the engine's files in /run are gone. A stale pid file would keep containerd from
      // starting.
      unmountBelow(join(folder, "exec"));
      for (const name of ["pid", "sock", "exec"])
        rmSync(join(folder, name), { recursive: true, force: true });
      const log = openSync(join(folder, "log"), "a");
      const [program = "", ...args] = command();
      spawn(program, args, { detached: true, stdio: ["ignore", log, log] }).unref();
      const deadlineMs = performance.now() + answerLimitMs;
      for (;;) {
        const { code } = await shell.attempt([client, "info"], { env: { DOCKER_HOST: host } });
        if (code === 0) return;
        if (performance.now() > deadlineMs) throw new Error(`${name} does not answer: see ${folder}/log`);
        await delay(pollMs);
      }
    },
    async kill() {
      await killProcesses(() => processesOf(folder));
    },
  };
}
