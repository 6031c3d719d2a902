import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, readlinkSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

/** A path of the host that is seen inside, read only. */
export type Mount = { readonly host: string; readonly inside: string };

/** What stands in for an image that cannot be pulled here: the host's own programs, at the image's paths. */
export type BaseImage = {
  /** What is in its place, for people. */
  readonly substitute: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
  /** Links inside, from path to what they name. */
  readonly links: Readonly<Record<string, string>>;
  /** Users beside root, by name. */
  readonly users: Readonly<Record<string, number>>;
};

const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * The substitute of an image: Node (of this very version), a Java run time, or Maven with a JDK.
 * @throws Error for another image, or if the host has no such program.
 */
export function substituteBaseImage(image: string, path: string): BaseImage {
  const node = /^node:(\d+\.\d+\.\d+)-[a-z]+-slim$/.exec(image);
  if (node) return nodeImage(node[1]!, path);
  const java = /^eclipse-temurin:(\d+)\.[\d._]+-jre-[a-z]+$/.exec(image);
  if (java) return javaImage(java[1]!, path);
  const maven = /^maven:[\d.]+-eclipse-temurin-(\d+)-[a-z]+$/.exec(image);
  if (maven) {
    const { substitute, ...base } = javaImage(maven[1]!, path);
    const mavenHome = dirname(dirname(realpathSync(findProgram("mvn", path))));
    return {
      ...base,
      substitute: `${substitute} and Maven of the host`,
      mounts: [...base.mounts, ...existing(mavenHome, "/etc/maven")],
    };
  }
  throw new Error(`nothing of the host can stand in for the image ${image}`);
}

/** The Node that runs this; npm is the host's. */
function nodeImage(version: string, path: string): BaseImage {
  if (`v${version}` !== process.version) {
    throw new Error(`the image has Node ${version}, and the tests run on ${process.version}`);
  }
  const npm = dirname(dirname(realpathSync(findProgram("npm", path))));
  return {
    substitute: `Node ${version} of this project, npm of the host`,
    environment: { PATH: systemPath, NODE_VERSION: version },
    mounts: [{ host: realpathSync(process.execPath), inside: "/usr/local/bin/node" }, ...existing(npm)],
    links: { "/usr/local/bin/npm": join(npm, "bin/npm-cli.js") },
    users: { node: 1000 },
  };
}

function javaImage(major: string, path: string): BaseImage {
  const { stderr } = spawnSync("java", ["-XshowSettings:properties", "-version"], {
    encoding: "utf8",
    env: { PATH: path },
  });
  const property = (name: string): string => new RegExp(` ${name} = (.+)`).exec(stderr)?.[1] ?? "";
  const version = property("java.version");
  const home = property("java.home");
  if (!version.startsWith(`${major}.`)) {
    throw new Error(`the image has Java ${major}, and the host ${version || "none"}`);
  }
  return {
    substitute: `Java ${version} (a JDK) of the host`,
    environment: { PATH: `/opt/java/openjdk/bin:${systemPath}`, JAVA_HOME: "/opt/java/openjdk" },
    // Debian keeps a JDK's settings in /etc.
    mounts: [{ host: home, inside: "/opt/java/openjdk" }, ...existing(`/etc/java-${major}-openjdk`)],
    links: {},
    users: {},
  };
}

function existing(...paths: readonly string[]): Mount[] {
  return paths.filter((path) => existsSync(path)).map((path) => ({ host: path, inside: path }));
}

function findProgram(name: string, path: string): string {
  const found = path
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file));
  if (found === undefined) throw new Error(`${name} is not on the PATH`);
  return found;
}

/** What every image has of an operating system, taken from the host: programs and how to reach the network. */
export function systemMounts(): Mount[] {
  return existing(
    ...["/etc/alternatives", "/etc/ssl", "/etc/ca-certificates"],
    ...["/etc/resolv.conf", "/etc/hosts", "/etc/hostname", "/etc/nsswitch.conf", "/etc/login.defs"],
  );
}

/** Where /bin and its like point to on this host; those that are folders of their own are not among them. */
export function systemLinks(): Map<string, string> {
  const links = ["/bin", "/sbin", "/lib", "/lib32", "/lib64"].filter((path) =>
    lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink(),
  );
  return new Map(links.map((path) => [path, readlinkSync(path)]));
}
