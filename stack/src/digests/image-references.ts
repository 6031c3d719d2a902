import { globSync } from "node:fs";

/** An image of a registry that a stack file or a Dockerfile names: `grafana/grafana:12.4.4`. */
export type ImageReference = { readonly name: string; readonly tag: string };

/**
 * A reference after `FROM`, `image:` or an anchor of x-images, with the digest that it is pinned to. The images of the
 * project begin with a variable and are not matched.
 */
const pattern =
  /(?<=^FROM |\bimage: (?:&\S+ )?|&[a-z-]+-image )(?<name>[a-z0-9][a-z0-9._/-]*):(?<tag>\w[\w.-]*)(?<digest>@sha256:[0-9a-f]{64})?(?=\s|$)/gm;

/** Returns the references of a file, each once. */
export function imagesIn(text: string): readonly ImageReference[] {
  const found = new Map<string, ImageReference>();
  for (const { groups: { name = "", tag = "" } = {} } of text.matchAll(pattern)) {
    found.set(`${name}:${tag}`, { name, tag });
  }
  return [...found.values()];
}

/** Pins the references that have a digest in the map (by `name:tag`), and leaves the others as they are. */
export function withDigests(text: string, digests: ReadonlyMap<string, string>): string {
  return text.replaceAll(pattern, (reference: string, name: string, tag: string) => {
    const digest = digests.get(`${name}:${tag}`);
    return digest === undefined ? reference : `${name}:${tag}@${digest}`;
  });
}

/** Removes all digests: for engines that cannot pull, and have images of these names. */
export function withoutDigests(text: string): string {
  return text.replaceAll(pattern, (_, name: string, tag: string) => `${name}:${tag}`);
}

/** Returns the files of a project that name images of registries, relative to it. */
export function imageFiles(project: string): readonly string[] {
  return globSync(["docker-stack*.yml", "stack/images/*.Dockerfile"], { cwd: project });
}
