import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Engine } from "../machine/engine.ts";

/** Brings images of one engine to others, as `docker save` and `docker load` do it without a registry. */
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
