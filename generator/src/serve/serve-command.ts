import type { Clock } from "@devicemesh/client/clock";
import { readIngestTls } from "@devicemesh/client/delivery/ingest-tls";
import { openUserAccess } from "@devicemesh/identity";
import type { Output } from "@devicemesh/import/report/status-line";
import { createLogger } from "@devicemesh/kit/observability/logger";
import { openMetrics } from "@devicemesh/kit/observability/metrics-server";
import { PortInUseError } from "@devicemesh/kit/server/port-in-use-error";
import type { RunningServer } from "@devicemesh/kit/server/running-server";
import { readContractImage } from "@devicemesh/proto/image";
import { createGenerator } from "../generator.ts";
import { readDeviceSensors } from "../simulate/device-sensors.ts";
import { serveGenerator } from "../start.ts";
import { simulationText } from "../texts.ts";
import type { ServeSettings } from "./serve-settings.ts";

/**
 * Runs `serve` until it is interrupted, and resolves to the exit code: 0, or 2 if it could not listen. Undelivered
 * readings go to the spill folder, or are lost and logged.
 */
export async function serveCommand(
  values: ServeSettings,
  context: {
    readonly stdout: Output;
    readonly stderr: Output;
    readonly clock: Clock;
    readonly interrupted: AbortSignal;
  },
): Promise<number> {
  const { stdout, stderr, clock, interrupted } = context;
  const { host, port, target, devices, intervalMs, seed, memoryReadings, spillFolder, spillBytesMax } =
    values;
  const logger = createLogger({ name: "generator", level: values.logLevel });
  await using served = await openMetrics(values, { logger });
  using access = openUserAccess(values, { logger, clock: () => clock.nowMs() });
  await using generator = createGenerator({
    target,
    tls: readIngestTls(values),
    devicePrefix: values.devicePrefix,
    deviceSensors: readDeviceSensors(values),
    logger,
    clock,
    seed: seed === undefined ? undefined : BigInt(seed),
    limits: { memoryReadings },
    ...(spillFolder === undefined ? {} : { spill: { folder: spillFolder, bytesMax: spillBytesMax } }),
  });
  let server: RunningServer;
  try {
    server = await serveGenerator(
      { host, port, ...(values.insecureBeyondLoopback && { hosts: "*" }) },
      {
        generator,
        logger,
        image: readContractImage(),
        access: access.gate,
        tls: access.tls,
        metrics: served?.metrics,
      },
    );
  } catch (error) {
    if (!(error instanceof PortInUseError)) throw error;
    stderr.write(`${error.message}: choose another with --port\n`);
    return 2;
  }
  if (!values.idle) generator.start({ devices, intervalMs, faults: values });
  stdout.write(`listening on ${host}:${server.port}\n`);
  if (served) stdout.write(`${served.line}\n`);
  await aborted(interrupted);
  await server.close();
  await generator.close({ limitMs: values.stopLimitMs });
  logger.info({ outcome: simulationText(generator.state()) }, "generator ended");
  return 0;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
