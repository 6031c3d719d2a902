import { join } from "node:path";
import { startEngines } from "@devicemesh/engines";
import { topicDefinitions } from "@devicemesh/operator";
import { meshDefinition } from "@devicemesh/operator/testing/prepare-mesh";
import { startLoadOn } from "../../ingest/ingest-peers.ts";
import type { Load } from "../../load/load-process.ts";
import { openBenchTopics } from "../../mesh/kafka-bench-topics.ts";
import { type ProfiledWork, profileServer } from "../profilers/profiled-server.ts";
import type { PathRunSettings } from "./profiled-path.ts";

const partitions = 4;

/** Readings on their way through ingest to Kafka: at full speed, over one broker. */
export async function profileKafkaPath(settings: PathRunSettings): Promise<readonly ProfiledWork[]> {
  const { trees, ms, warmUpMs, folder, progress, signal } = settings;
  await using stack = new AsyncDisposableStack();
  const { addresses } = stack.use(
    await startEngines({
      folder: join(folder, "kafka"),
      fresh: true,
      parts: ["kafka"],
      signal,
      onProgress: ({ text }) => progress(text),
    }),
  );
  const topics = stack.use(await openBenchTopics(addresses.kafkaBrokers));
  const definition = meshDefinition({ ...addresses, prefix: "profiles-", database: "bench", partitions });
  const [messages] = topicDefinitions(definition);
  if (!messages) throw new Error("a mesh without topics");
  const works: ProfiledWork[] = [];
  for (const { root, commit } of trees) {
    const topic = `${messages.topic}.${commit}`;
    await topics.create([{ ...messages, topic }]);
    const program = join(root, "bench/src/servers/kafka-ingest-server.ts");
    let load: Load | undefined;
    stack.defer(() => load?.close());
    works.push(
      await profileServer({
        args: [program, "ours", addresses.kafkaBrokers.join(","), topic, String(partitions)],
        root,
        file: join(folder, `kafka-${commit}.cpuprofile`),
        signal,
        async load({ port }, part) {
          load ??= await startLoadOn("ours", port);
          return load.run(part === "profiled" ? ms : warmUpMs);
        },
      }),
    );
  }
  return works;
}
