import { openDeviceAccess } from "@devicemesh/identity";
import { withinTime } from "@devicemesh/kit/async/time-limit";
import { createDependencies } from "@devicemesh/kit/health/dependency-health";
import { closeOnce } from "@devicemesh/kit/lifetime/close-once";
import { reasonOf } from "@devicemesh/kit/observability/failure-reason";
import type { Logger } from "@devicemesh/kit/observability/logger";
import type { Metrics } from "@devicemesh/kit/observability/metrics";
import { connectionLimitsOf } from "@devicemesh/kit/settings/connection-settings";
import { listOf } from "@devicemesh/kit/settings/list-of";
import { openSensorCatalog } from "@devicemesh/kit/settings/sensor-settings";
import { chainNames } from "@devicemesh/pipeline";
import { kafkaSecurityOf } from "@devicemesh/pipeline/kafka-security";
import { readContractImage } from "@devicemesh/proto/image";
import { ingestConfig } from "./limits.ts";
import { createKafkaMessageLog } from "./log/kafka/kafka-message-log.ts";
import { registerIngestLogMetrics } from "./metrics.ts";
import { createSeriesLimit } from "./publish/series-limit.ts";
import { followRetentionTopic } from "./retention/kafka-retention-topic.ts";
import type { IngestSettings } from "./settings.ts";
import { type Ingest, startIngest } from "./start.ts";

/** How long the start waits for brokers that do not answer, in ms. */
const firstBoundMs = 2000;

/**
 * Starts ingest over Kafka. It listens at once, and reports NOT_SERVING while Kafka or the topic is unreachable, or
 * while the retention mark is unknown or the units of its sensors are not those of the mesh; senders wait for them, or receive UNAVAILABLE.
 * @throws PortInUseError if the port is in use; SettingsError if the settings of identity, sensors or Kafka are wrong.
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
  const { host, port, kafkaBrokers, kafkaCompression, topicPrefix, appendTimeout, retainRaw } = settings;
  const { messages: topic, retention } = chainNames({ prefix: topicPrefix }).topics;
  const brokers = listOf(kafkaBrokers);
  const security = kafkaSecurityOf(settings);
  const catalog = openSensorCatalog(settings);
  const access = openDeviceAccess(settings, { logger, clock });
  let ingest: Ingest | undefined;
  const waiting = createDependencies<"kafka">({ logger });
  const log = createKafkaMessageLog({
    brokers,
    topic,
    security,
    limits: { appendTimeoutMs: appendTimeout, compression: kafkaCompression },
    onReachable(reachable, fault) {
      reportHealth();
      if (reachable) waiting.available("kafka");
      else waiting.unavailable("kafka", fault);
    },
  });
  const bound = followRetentionTopic({
    brokers,
    security,
    topic: retention,
    sensors: catalog.sensors,
    onChange(isKnown, error) {
      reportHealth();
      if (bound.unitConflict() !== undefined) {
        logger.error(
          { reason: bound.unitConflict() },
          "readings are rejected until the units are those of the mesh",
        );
        return;
      }
      // One line for unreachable brokers is enough, which the log writes.
      if (isKnown || !log.stats().reachable) return;
      logger.warn({ topic: retention, reason: reasonOf(error) }, "the retention mark is unknown");
    },
  });
  function reportHealth(): void {
    ingest?.setServing(log.stats().reachable && bound.isKnown());
  }
  const retainedSinceMs =
    retainRaw === undefined
      ? bound.acceptedSinceMs
      : (): number => Math.max(bound.acceptedSinceMs(), clock() - retainRaw);
  try {
    // So that the first senders are not rejected in a healthy system; silent brokers do not delay the start.
    await withinTime(bound.asked, { ms: firstBoundMs, what: "the retention topic" }).catch(() => {});
    ingest = await startIngest(ingestConfig({ host, port, connections: connectionLimitsOf(settings) }), {
      log,
      clock,
      catalog,
      admitSeries: createSeriesLimit({
        max: settings.maxSeries,
        maxPerPublisher: settings.maxSeriesPerPublisher,
      }),
      logger,
      image: readContractImage(),
      serving: false,
      identityOf: access.identityOf,
      tls: access.tls,
      metrics,
      retainedSinceMs,
    });
  } catch (error) {
    await bound[Symbol.asyncDispose]();
    await log.close();
    access[Symbol.dispose]();
    throw error;
  }
  if (metrics) registerIngestLogMetrics(metrics, log.stats);
  reportHealth();
  const service = ingest;
  const close = closeOnce(() =>
    service
      .close()
      .then(() => bound[Symbol.asyncDispose]())
      .then(() => log.close())
      .finally(() => access[Symbol.dispose]()),
  );
  return { ...service, close, [Symbol.asyncDispose]: close };
}
