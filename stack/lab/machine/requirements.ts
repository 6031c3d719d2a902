import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** The paths of the programs that the lab calls. */
export type LabTools = {
  /** A Docker client whose `build` is BuildKit. */
  readonly builder: string;
  /** A Docker client that supports `stack config`. */
  readonly docker: string;
};

/** The missing requirement of a machine, as a sentence with the solution; or its tools. */
export type Machine =
  | { readonly kind: "fit"; readonly tools: LabTools }
  | { readonly kind: "unfit"; readonly problem: string };

const packages: Readonly<Record<string, string>> = {
  dockerd: "docker.io",
  iptables: "iptables",
  debootstrap: "debootstrap",
  ip: "iproute2",
  nsenter: "util-linux",
  unshare: "util-linux",
};

/** Checks whether the lab can run here: Linux, root, a Docker engine and tools for network namespaces. */
export function inspectMachine(path: string): Machine {
  if (process.platform !== "linux") return unfit("the lab needs Linux");
  if (process.getuid?.() !== 0) return unfit("the lab needs root: it makes network namespaces and mounts");
  const missing = Object.keys(packages).filter((program) => everyPlace(path, program).length === 0);
  if (missing.length > 0) {
    const names = [...new Set(missing.map((program) => packages[program]))].join(" ");
    return unfit(`${missing.join(", ")} missing: apt-get install --no-install-recommends ${names}`);
  }
  if (spawnSync("unshare", ["--net", "--mount", "true"]).status !== 0) {
    return unfit("the lab may not make namespaces here: run it as root with CAP_SYS_ADMIN");
  }
  const clients = everyPlace(path, "docker");
  const docker = clients.find((client) => succeeds(client, ["stack", "config", "--help"]));
  if (docker === undefined) return unfit("the lab needs a client of Docker that knows `docker stack config`");
  const builder = clients.find(hasBuildKit);
  if (builder === undefined) return unfit("no client of Docker here has BuildKit: install docker-buildx");
  return { kind: "fit", tools: { builder, docker } };
}

function unfit(problem: string): Machine {
  return { kind: "unfit", problem };
}

function everyPlace(path: string, program: string): readonly string[] {
  const folders = [...path.split(delimiter), "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
  return [...new Set(folders.map((folder) => join(folder, program)).filter((file) => existsSync(file)))];
}

function succeeds(client: string, args: readonly string[]): boolean {
  return spawnSync(client, args, { stdio: "ignore" }).status === 0;
}

/** Clients of 18.09 to 22 include it; later ones need the plugin buildx. */
function hasBuildKit(client: string): boolean {
  const { stdout } = spawnSync(client, ["--version"], { encoding: "utf8" });
  const major = Number(/version (\d+)\./.exec(stdout)?.[1]);
  return (major >= 19 && major < 23) || succeeds(client, ["buildx", "version"]);
}
