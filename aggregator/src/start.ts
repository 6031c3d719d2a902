import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { addHealthRoutes } from "@devicemesh/kit/health/connect-health";
import { createDependencies, withoutFigures } from "@devicemesh/kit/health/dependency-health";
import { createHealth } from "@devicemesh/kit/health/health";
import type { Logger } from "@devicemesh/kit/observability/logger";
import type { Metrics } from "@devicemesh/kit/observability/metrics";
import { createConnectCounting } from "@devicemesh/kit/observability/metrics-connect";
import { createConnectHandler } from "@devicemesh/kit/rpc/connect-handler";
import { addReflectionRoutes } from "@devicemesh/kit/rpc/connect-reflection";
import { createErrorInterceptor } from "@devicemesh/kit/rpc/connect-status";
import { createReflection } from "@devicemesh/kit/rpc/reflection";
import { contractJson } from "@devicemesh/kit/rpc/requests/json-requests";
import { createValidationInterceptor } from "@devicemesh/kit/rpc/requests/request-validation";
import { startOnePortServer } from "@devicemesh/kit/server/one-port-server";
import { createRunningServer, type RunningServer } from "@devicemesh/kit/server/running-server";
import { AggregatorService } from "@devicemesh/proto/es/devicemesh/v1/aggregator_service_pb.ts";
import type { StartWindowJob } from "./active-aggregator.ts";
import { type AggregatorNeed, aggregatorNeeds, startAggregation } from "./aggregation.ts";
import { healthIntervalMs, readBytesMax } from "./limits.ts";
import { startLoop } from "./loop.ts";
import { registerAggregatorMetrics } from "./metrics.ts";
import { type AggregatorView, createAggregatorService } from "./service.ts";
import type { AggregatorConfig } from "./settings.ts";
import type { WindowJobState } from "./window-job/window-job.ts";

/** The dependencies of the aggregator. */
export type AggregatorDependencies = {
  readonly logger: Logger;
  /** Ms since 1970. */
  readonly clock: () => number;
  /** The contract as a FileDescriptorSet in bytes, for reflection. */
  readonly image: Uint8Array;
  readonly startWindowJob: StartWindowJob;
  /** Where the aggregator registers its metrics; none if left out. */
  readonly metrics?: Metrics | undefined;
};

/** The aggregator, listening; `view` returns its current state. */
export type Aggregator = RunningServer & {
  readonly failed: Promise<never>;
  readonly view: () => AggregatorView;
};

const serviceName = AggregatorService.typeName;
/**
 * Starts an aggregator: it listens at once, and waits for the engines, the settings and the lease. Its service is
 * SERVING while it is the leader and has no problem; "" is SERVING while it is the leader or could become it; and the
 * name of each dependency is SERVING while that is available.
 * @throws PortInUseError if the port is taken; SettingsError if the connection string of MongoDB is none.
 */
export async function startAggregator(
  config: AggregatorConfig,
  dependencies: AggregatorDependencies,
): Promise<Aggregator> {
  const { logger, clock, image, startWindowJob, metrics } = dependencies;
  const health = createHealth([serviceName, ...aggregatorNeeds]);
  health.setServing(false);
  const counting = metrics && createConnectCounting(metrics.rpc);
  const onBatch =
    metrics && registerAggregatorMetrics(metrics, { view: () => aggregation.view(), clock }).onBatch;
  const holder = holderName();
  const waiting = createDependencies<AggregatorNeed>({ logger, health });
  const aggregation = startAggregation(config, { holder, startWindowJob, onBatch, waiting, logger, clock });
  let reported = "";
  const watch = startLoop({
    intervalMs: healthIntervalMs,
    async step() {
      const { active, problems } = aggregation.view();
      setIfChanged("", aggregation.isReady);
      setIfChanged(serviceName, active !== undefined && problems.length === 0);
      if (active) reportSpark(active.job.state());
      // The reasons have been logged.
      const text = withoutFigures(aggregation.isReady ? problems.join("; ") : "");
      if (text !== reported) logger[text === "" ? "info" : "warn"]({ problems }, "health changed");
      reported = text;
    },
    onFailure: (error) => logger.error({ error }, "the health could not be reported"),
  });
  function reportSpark({ kind, error, sparkVersion }: WindowJobState): void {
    if (kind === "unavailable") waiting.unavailable("spark", error);
    else if (sparkVersion !== undefined) waiting.available("spark");
  }
  function setIfChanged(service: string, isServing: boolean): void {
    if ((health.check(service) === "SERVING") !== isServing) health.setServing(isServing, service);
  }

  async function end(): Promise<void> {
    await watch[Symbol.asyncDispose]();
    await aggregation[Symbol.asyncDispose]();
  }
  try {
    const server = await startOnePortServer({
      host: config.host,
      port: config.port,
      handler: createConnectHandler({
        logger,
        readMaxBytes: readBytesMax,
        routes(router) {
          router.service(AggregatorService, createAggregatorService({ view: aggregation.view, clock }));
          addHealthRoutes(router, health);
          addReflectionRoutes(router, createReflection({ image, services: [serviceName] }));
          counting?.know(router);
        },
        interceptors: [
          ...(counting ? [counting.interceptor] : []),
          createErrorInterceptor({ logger }),
          createValidationInterceptor(),
        ],
        jsonOptions: contractJson,
      }),
      shutdownGraceMs: 500,
      onClosing: () => health.close(),
      onError: (error) => logger.debug({ error }, "connection broke"),
    });
    const running = createRunningServer(server.port, async () => {
      await Promise.all([server.close(), end()]);
    });
    return { ...running, failed: aggregation.failed, view: aggregation.view };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Host and process, and a random part, because process numbers are reused. */
function holderName(): string {
  return `${hostname()}/${process.pid}/${randomBytes(3).toString("hex")}`;
}
