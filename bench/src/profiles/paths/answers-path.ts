import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { createRandom } from "../../load/fleet.ts";
import { askTimed } from "../../query/ask-timed.ts";
import { burstClients } from "../../query/concurrent-clients.ts";
import { createQuestions } from "../../query/query-questions.ts";
import { storedThroughMs } from "../../query/query-store.ts";
import { startFlags } from "../../servers/start-flags.ts";
import type { ProfiledTree } from "../before-tree.ts";
import { type ProfiledWork, profileServer } from "../profilers/profiled-server.ts";
import type { PathRunSettings } from "./profiled-path.ts";

/** Answers over any timeframe and all devices from a store with `readings` readings, to 16 clients at once. */
export function createAnswersPath(
  readings: number,
): (settings: PathRunSettings) => Promise<readonly ProfiledWork[]> {
  return async ({ trees, ms, warmUpMs, folder, cache, progress, signal }) => {
    const works: ProfiledWork[] = [];
    for (const [index, tree] of trees.entries()) {
      const isCurrent = index === trees.length - 1;
      // Another version may store readings in another way.
      const ownCache = isCurrent ? cache : join(tree.root, ".cache/bench");
      progress(`${readings.toLocaleString("en-US")} stored readings for ${tree.commit.slice(0, 8)} ...`);
      const stored = await storedReadings(tree, ownCache, readings, signal);
      const question = createQuestions({ throughMs: storedThroughMs(readings), random: createRandom(7) });
      let clients: readonly Client<typeof QueryService>[] | undefined;
      const work = await profileServer({
        args: [...startFlags, join(tree.root, "bench/src/servers/query-server.ts"), stored],
        root: tree.root,
        file: join(folder, `answers-${tree.commit}.cpuprofile`),
        signal,
        async load({ port }, part) {
          clients ??= Array.from({ length: burstClients }, () =>
            createClient(QueryService, createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` })),
          );
          const endMs = performance.now() + (part === "profiled" ? ms : warmUpMs);
          let answers = 0;
          await Promise.all(
            clients.map(async (client) => {
              while (performance.now() < endMs) {
                await askTimed(client, question("anyTimeframe"));
                answers++;
              }
            }),
          );
          return answers;
        },
      });
      works.push(work);
    }
    return works;
  };
}

/** Returns the folder of a store that the program of the tree has written. */
async function storedReadings(
  { root }: ProfiledTree,
  cache: string,
  readings: number,
  signal: AbortSignal,
): Promise<string> {
  const program = join(root, "bench/src/profiles/programs/stored-readings.ts");
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, [program, cache, String(readings)], { signal });
  return stdout.trim().split("\n").at(-1) ?? "";
}
