import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Engine } from "../machine/engine.ts";

/** Copies images from one engine to others, with `docker save` and `docker load`, without a registry. */
export async function shipImages(
  from: Engine,
  to: readonly Engine[],
  images: readonly string[],
  folder: string,
): Promise<void> {
  const archive = join(folder, "images.tar");
  await from.docker(["save", "--output", archive, ...images]);
  try {
    await Promise.all(to.map((engine) => engine.docker(["load", "--quiet", "--input", archive])));
  } finally {
    rmSync(archive, { force: true });
  }
}
