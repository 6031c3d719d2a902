// Our ingest over Kafka, in a process of its own: with the log of ingest, or with that of the peer on kafkajs.
import { ingestConfig, startIngest } from "@devicemesh/ingest";
import { createKafkaMessageLog } from "@devicemesh/ingest/log/kafka/kafka-message-log";
import { untilShutdownSignal } from "@devicemesh/kit/lifetime/shutdown-signal";
import { createLogger } from "@devicemesh/kit/observability/logger";
import { listOf } from "@devicemesh/kit/settings/list-of";
import { readContractImage } from "@devicemesh/proto/image";
import { openKafkaJsLog } from "../kafka/kafka-js-log.ts";

const [name, brokerList, topic, partitions] = process.argv.slice(2);
if (!name || !brokerList || !topic || !partitions) {
  throw new Error("usage: kafka-ingest-server.ts ours|kafkajs BROKERS TOPIC PARTITIONS");
}
const brokers = listOf(brokerList);
await using resources = new AsyncDisposableStack();
const ours = name === "ours" ? createKafkaMessageLog({ brokers, topic }) : undefined;
if (ours) resources.defer(() => ours.close());
const log = ours ?? resources.use(await openKafkaJsLog({ brokers, topic, partitions: Number(partitions) }));
const ingest = await startIngest(ingestConfig({ port: 0 }), {
  log,
  clock: Date.now,
  logger: createLogger({ name: "bench", level: "warn" }),
  image: readContractImage(),
});
resources.use(ingest);
process.stdout.write(`${JSON.stringify({ port: ingest.port })}\n`);
await untilShutdownSignal();
