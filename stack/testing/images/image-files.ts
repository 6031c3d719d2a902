import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { ImageEngine } from "./image-engine.ts";

/** A file or folder of a layer. */
export type LayerEntry = {
  /** The path, with a leading slash. */
  readonly path: string;
  /** The mode in the notation of `ls`: `drwxr-xr-x`. */
  readonly mode: string;
  readonly uid: number;
};

/** For tests: every entry of the layers that an image adds to its base, including deleted ones, from `docker save`. */
export async function addedEntries(
  { engine, shell }: ImageEngine,
  image: string,
  base: string,
  folder: string,
): Promise<readonly LayerEntry[]> {
  const baseLayers = await layersOf({ engine }, base);
  const layers = await layersOf({ engine }, image);
  if (!baseLayers.every((layer, place) => layer === layers[place]))
    throw new Error(`${image} is not from ${base}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const archive = join(folder, "image.tar");
  await engine.docker(["save", "--output", archive, image]);
  await shell.run(["tar", "-C", folder, "-xf", archive]);
  const [manifest] = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as [
    { readonly Layers: readonly string[] },
  ];
  const entries: LayerEntry[] = [];
  for (const layer of manifest.Layers.slice(baseLayers.length)) {
    const listed = await shell.run(["tar", "--numeric-owner", "-tvf", join(folder, layer)]);
    entries.push(...listed.trim().split("\n").flatMap(readEntry));
  }
  rmSync(folder, { recursive: true });
  return entries;
}

function readEntry(line: string): LayerEntry[] {
  const [, mode, uid, name] =
    /^(\S{10})\S* +(\d+)\/\d+ +[\d,]+ +\S+ +\S+ +(.*?)(?: (?:->|link to) .*)?$/.exec(line) ?? [];
  if (mode === undefined || name === undefined) return [];
  return [{ path: `/${name.replace(/\/$/, "")}`, mode, uid: Number(uid) }];
}

async function layersOf({ engine }: Pick<ImageEngine, "engine">, image: string): Promise<readonly string[]> {
  return JSON.parse(await engine.docker(["image", "inspect", "--format", "{{json .RootFS.Layers}}", image]));
}

/** The one folder of an image that its user may write to. */
export const stateFolder = "/var/lib/devicemesh";

const secretName =
  /\/(\.npmrc|\.env[^/]*|\.git|\.netrc|id_[a-z0-9]+|settings\.xml|[^/]+\.(pem|key|p12|jks|jwt))$/;
const testName = /\.test\.|\.contract\.|-fixture\.|\/(e2e|bench|scripts|testing)\//;

/** For tests: forbidden contents of our layers, as "path: problem". */
export function flawsOf(entries: readonly LayerEntry[]): readonly string[] {
  return entries.flatMap(({ path, mode, uid }) => {
    if (mode.startsWith("l")) return [];
    const own = path === stateFolder || path.startsWith(`${stateFolder}/`);
    return [
      ...(mode[8] === "w" && path !== "/tmp" ? [`${path}: every user may write it`] : []),
      ...(/[sS]/.test(mode) ? [`${path}: it runs with the rights of its owner`] : []),
      ...(path.startsWith("/opt/") && mode[7] !== "r" ? [`${path}: its user may not read it`] : []),
      ...(!own && uid !== 0 ? [`${path}: it belongs to user ${uid}`] : []),
      ...(secretName.test(path) ? [`${path}: it has the name of a secret`] : []),
      ...(testName.test(path) && !path.includes("/node_modules/") ? [`${path}: it is for tests`] : []),
    ];
  });
}
