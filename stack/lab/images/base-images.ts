import { cpSync, existsSync, globSync, mkdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { defaultCache, partFolder, standInProgram } from "@devicemesh/engines/install/engine-parts";
import type { Engine } from "../machine/engine.ts";
import type { Shell } from "../machine/shell.ts";

/** The folder of the Dockerfiles of the lab's own images. */
const dockerfiles = fileURLToPath(new URL(".", import.meta.url));
const release = "bookworm";
const debootstrapped = `dmlab/debootstrap:${release}`;
const authorities = "/etc/ssl/certs/ca-certificates.crt";
/** The path of the file that Debian's ca-certificates-java makes. */
const javaAuthorities = "/etc/ssl/certs/java/cacerts";

/** The dependencies of making base images. */
export type BaseImages = {
  readonly shell: Shell;
  /** The engine that builds, and the client that has BuildKit. */
  readonly engine: Engine;
  readonly builder: string;
  /** A temporary folder for files of images. */
  readonly folder: string;
  /** The checkout whose Dockerfiles and stack file name the images. */
  readonly project: string;
  /** The paths of Node and npm on this machine. */
  readonly node: string;
  readonly npm: string;
  readonly report: (line: string) => void;
};

/**
 * Makes the images that the project's Dockerfiles start from, under the same names: the lab can pull nothing, and an
 * engine does not contact a registry for an image that it has.
 */
export async function makeBaseImages(options: BaseImages): Promise<void> {
  const { project, report } = options;
  const text = globSync(join(project, "stack/images/*.Dockerfile"))
    .map((file) => readFileSync(file, "utf8"))
    .join("\n");
  const named = (pattern: RegExp): string => {
    const found = pattern.exec(text)?.[1];
    if (found === undefined) throw new Error(`stack/images: no Dockerfile starts from ${pattern.source}`);
    return found;
  };
  const debian = named(/^FROM (debian:\S+)/m);
  const node = named(/^FROM (node:\S+)/m);
  const jre = named(/^FROM (eclipse-temurin:\S+)/m);
  const maven = named(/^FROM (maven:\S+)/m);
  await debootstrap(options);
  report(`base images: ${[debian, node, jre, maven].join(", ")}`);
  await buildLabImage(options, "base", debian, undefined, { "ca-certificates.crt": authorities });
  await buildLabImage(options, "node", node, debian, {
    node: options.node,
    npm: dirname(dirname(realpathSync(options.npm))),
  });
  await buildLabImage(options, "jre", jre, debian, {
    "ca-certificates.crt": authorities,
    cacerts: javaAuthorities,
  });
  await buildLabImage(options, "maven", maven, jre, { cacerts: javaAuthorities });
}

/** Makes the stand-in for MongoDB, under the name of the real image in the stack file. */
export async function makeMongoImage(options: BaseImages, name: string): Promise<void> {
  const wheels = partFolder(defaultCache(), "python");
  const base = /^FROM (debian:\S+)/m.exec(
    readFileSync(join(options.project, "stack/images/envoy.Dockerfile"), "utf8"),
  )?.[1];
  await buildLabImage(options, "mongo", name, base, {
    "stand-in": standInProgram(wheels),
    libs: join(wheels, "secantusdb.libs"),
    mongosh: join(dockerfiles, "mongosh.sh"),
    "mongod.sh": join(dockerfiles, "mongod.sh"),
  });
}

async function debootstrap({ shell, engine, folder, report }: BaseImages): Promise<void> {
  if ((await engine.docker(["image", "ls", "--quiet", debootstrapped])).trim() !== "") return;
  report("debootstrap makes a Debian, once (a minute)");
  const root = join(folder, "debootstrap");
  rmSync(root, { recursive: true, force: true });
  const mirror = debianMirror();
  await shell.run([
    ...["debootstrap", "--variant=minbase", "--include=ca-certificates", release, root],
    ...(mirror === undefined ? [] : [mirror]),
  ]);
  const archive = join(folder, "debootstrap.tar");
  await shell.run(["tar", "-C", root, "-cf", archive, "."]);
  await engine.docker(["import", archive, debootstrapped]);
  rmSync(root, { recursive: true, force: true });
  rmSync(archive);
}

/** The mirror of this machine's packages. */
function debianMirror(): string | undefined {
  const lists = globSync(["/etc/apt/sources.list", "/etc/apt/sources.list.d/*"]).filter(existsSync);
  const text = lists.map((file) => readFileSync(file, "utf8")).join("\n");
  return /^(?:URIs:|deb(?: \[[^\]]*\])?) +(\S+\/debian\/?)(?:\s|$)/m.exec(text)?.[1];
}

/** Builds stack/lab/images/NAME.Dockerfile with these files in its context, under the names given here. */
async function buildLabImage(
  { shell, engine, builder, folder }: BaseImages,
  dockerfile: string,
  tag: string,
  base: string | undefined,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  const context = join(folder, dockerfile);
  rmSync(context, { recursive: true, force: true });
  mkdirSync(context, { recursive: true });
  for (const [name, file] of Object.entries(files)) {
    if (existsSync(file)) cpSync(file, join(context, name), { recursive: true, dereference: true });
  }
  await shell.run(
    [
      ...[builder, "build", "--quiet", "--network", "host"],
      ...["--file", join(dockerfiles, `${dockerfile}.Dockerfile`)],
      ...(base === undefined ? [] : ["--build-arg", `BASE=${base}`]),
      ...["--tag", tag, context],
    ],
    { env: { DOCKER_HOST: engine.host, DOCKER_BUILDKIT: "1" } },
  );
  rmSync(context, { recursive: true });
}
