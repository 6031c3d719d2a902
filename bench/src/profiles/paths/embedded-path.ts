import { rm } from "node:fs/promises";
import { join } from "node:path";
import { startLoadOn } from "../../ingest/ingest-peers.ts";
import type { Load } from "../../load/load-process.ts";
import { startFlags } from "../../servers/start-flags.ts";
import { type ProfiledWork, profileServer } from "../profilers/profiled-server.ts";
import type { PathRunSettings } from "./profiled-path.ts";

/** Readings on their way through ingest to the store of the single process, at full speed; windows are folded meanwhile. */
export async function profileEmbeddedPath(settings: PathRunSettings): Promise<readonly ProfiledWork[]> {
  const { trees, ms, warmUpMs, folder, signal } = settings;
  const works: ProfiledWork[] = [];
  for (const { root, commit } of trees) {
    const data = join(folder, `embedded-${commit}`);
    await rm(data, { recursive: true, force: true });
    let load: Load | undefined;
    try {
      const work = await profileServer({
        args: [...startFlags, join(root, "bench/src/servers/ingest-server.ts"), data],
        root,
        file: join(folder, `embedded-${commit}.cpuprofile`),
        signal,
        async load({ port }, part) {
          load ??= await startLoadOn("ours", port);
          return load.run(part === "profiled" ? ms : warmUpMs);
        },
      });
      works.push(work);
    } finally {
      load?.close();
      await rm(data, { recursive: true, force: true });
    }
  }
  return works;
}
