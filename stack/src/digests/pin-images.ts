import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ImageReference, imageFiles, imagesIn, withDigests } from "./image-references.ts";

/**
 * Pins every image of the stack files and Dockerfiles to the digest that its tag has now, and prints each. Nothing is
 * written unless every digest is known.
 * @throws the error of `readDigest`.
 */
export async function pinImages(options: {
  readonly project: string;
  readonly readDigest: (image: ImageReference) => Promise<string>;
  readonly report: (line: string) => void;
}): Promise<void> {
  const { project, readDigest, report } = options;
  const texts = new Map(imageFiles(project).map((file) => [file, readFileSync(join(project, file), "utf8")]));
  const digests = new Map<string, string>();
  for (const image of imagesIn([...texts.values()].join("\n"))) {
    digests.set(`${image.name}:${image.tag}`, await readDigest(image));
  }
  for (const [image, digest] of digests) report(`${image}@${digest}`);
  for (const [file, text] of texts) {
    const pinned = withDigests(text, digests);
    if (pinned === text) continue;
    writeFileSync(join(project, file), pinned);
    report(`changed ${file}`);
  }
}
