import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { ReplayedImage } from "./replay-image.ts";

/** A file or folder of an image. */
export type ImageEntry = {
  /** As it is named inside. */
  readonly path: string;
  readonly kind: "file" | "folder" | "link" | "other";
  readonly bytes: number;
  /** The permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
};

/** All that an image adds to its base. Links are not followed. */
export function imageEntries({ root }: ReplayedImage): ImageEntry[] {
  const entriesIn = (folder: string): ImageEntry[] =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      const { size, mode, uid, gid } = lstatSync(join(root, path));
      const kind = entry.isFile()
        ? "file"
        : entry.isDirectory()
          ? "folder"
          : entry.isSymbolicLink()
            ? "link"
            : "other";
      const bytes = kind === "file" ? size : 0;
      const own: ImageEntry = { path, kind, bytes, mode: mode & 0o7777, uid, gid };
      return kind === "folder" ? [own, ...entriesIn(path)] : [own];
    });
  return entriesIn("");
}

/** What may not be in any image of ours, as "path: what is wrong". */
export function imageFlaws(image: ReplayedImage): string[] {
  const { uid, gid } = image.user;
  return imageEntries(image).flatMap((entry) => {
    const { path, kind, mode } = entry;
    if (kind === "link" || path === "/tmp") return [];
    const own = path === stateFolder || path.startsWith(`${stateFolder}/`);
    const readBits = kind === "folder" ? 0o555 : 0o444;
    const readable = entry.uid === uid || (mode & readBits & 0o7) === (readBits & 0o7);
    const writable = entry.uid === uid || (entry.gid === gid && (mode & 0o020) !== 0);
    return [
      ...((mode & 0o002) !== 0 ? [`${path}: everybody may write it`] : []),
      ...((mode & 0o6000) !== 0 ? [`${path}: it runs with the rights of its owner`] : []),
      ...(path.startsWith("/opt/") && !readable ? [`${path}: its user may not read it`] : []),
      ...(!own && writable ? [`${path}: its user may write it`] : []),
      ...(secretName.test(path) ? [`${path}: it has the name of a secret`] : []),
      ...(testName.test(path) && !path.includes("/node_modules/") ? [`${path}: it is for tests`] : []),
    ];
  });
}

/** The one folder of an image that its user may write to. */
export const stateFolder = "/var/lib/devicemesh";

const secretName =
  /\/(\.npmrc|\.env[^/]*|\.git|\.netrc|id_[a-z0-9]+|settings\.xml|[^/]+\.(pem|key|p12|jks|jwt))$/;
const testName = /\.test\.|\.contract\.|-fixture\.|\/testing\.ts$|\/(e2e|bench|scripts|test|tests)\//;
