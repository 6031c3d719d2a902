import { chainNames, listOf } from "@devicemesh/chain";
import { openDeviceAccess } from "@devicemesh/identity";
import { createDependencies } from "@devicemesh/kit/dependencies";
import type { Logger } from "@devicemesh/kit/logger";
import type { Metrics } from "@devicemesh/kit/metrics";
import { readContractImage } from "@devicemesh/proto/image";
import { type Ingest, startIngest } from "./compose.ts";
import { ingestConfig } from "./config.ts";
import { createKafkaMessageLog } from "./kafka-message-log.ts";
import { registerIngestLogMetrics } from "./metrics.ts";
import type { IngestSettings } from "./process-settings.ts";

/**
 * Starts ingest over Kafka. It listens at once, and says NOT_SERVING while Kafka or the topic cannot be reached;
 * senders wait for them, or are told to try again.
 * @throws PortInUseError if the port is taken; SettingsError if what it is told of identity is wrong.
 */
export async function startIngestProcess(
  settings: IngestSettings,
  dependencies: {
    readonly logger: Logger;
    readonly clock: () => number;
    readonly metrics?: Metrics | undefined;
  },
): Promise<Ingest> {
  const { logger, clock, metrics } = dependencies;
  const { host, port, kafkaBrokers, topicPrefix, appendTimeout, retainRaw } = settings;
  const topic = chainNames({ prefix: topicPrefix }).topics.messages;
  const brokers = listOf(kafkaBrokers);
  const access = openDeviceAccess(settings, { logger, clock });
  let ingest: Ingest | undefined;
  const waiting = createDependencies<"kafka">({ logger });
  const log = createKafkaMessageLog({
    brokers,
    topic,
    limits: { appendTimeoutMs: appendTimeout },
    onReachable(reachable, fault) {
      ingest?.setServing(reachable);
      if (reachable) waiting.available("kafka");
      else waiting.unavailable("kafka", fault);
    },
  });
  try {
    ingest = await startIngest(ingestConfig({ host, port }), {
      log,
      clock,
      logger,
      image: readContractImage(),
      serving: false,
      identityOf: access.identityOf,
      tls: access.tls,
      metrics,
      ...(retainRaw !== undefined && { retainedSinceMs: () => clock() - retainRaw }),
    });
  } catch (error) {
    await log.close();
    access[Symbol.dispose]();
    throw error;
  }
  if (metrics) registerIngestLogMetrics(metrics, log.stats);
  ingest.setServing(log.stats().reachable);
  const service = ingest;
  let closing: Promise<void> | undefined;
  function close(): Promise<void> {
    closing ??= service
      .close()
      .then(() => log.close())
      .finally(() => access[Symbol.dispose]());
    return closing;
  }
  return { ...service, close, [Symbol.asyncDispose]: close };
}
