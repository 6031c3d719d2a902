import { randomInt } from "node:crypto";
import { type Clock, systemClock } from "@devicemesh/client/clock";
import { createIngestClient } from "@devicemesh/client/delivery/ingest-client";
import type { IngestTls } from "@devicemesh/client/delivery/ingest-tls";
import type { UnitSender } from "@devicemesh/client/delivery/unit";
import {
  createOutbox,
  type OutboxCounts,
  type OutboxEvent,
  type OutboxLimits,
} from "@devicemesh/client/outbox/outbox";
import { openSpill } from "@devicemesh/client/outbox/spill";
import { createRandom } from "@devicemesh/client/random";
import { closeOnce } from "@devicemesh/kit/lifetime/close-once";
import type { Logger } from "@devicemesh/kit/observability/logger";
import { RpcError } from "@devicemesh/kit/rpc/rpc-error";
import { stopLimitMs } from "./limits.ts";
import type { DeviceSensors } from "./simulate/devices.ts";
import { type RunningSimulation, type Simulation, startSimulation } from "./simulate/simulation.ts";
import { type SimulationRequest, simulationOf } from "./simulate/simulation-request.ts";

/** The dependencies of the generator. */
export type GeneratorOptions = {
  /** The address of ingest, as `host:port`. */
  readonly target: string;
  /** TLS for ingest; cleartext if left out. */
  readonly tls?: IngestTls | undefined;
  /** Prefix of the ids of the devices; empty by default. */
  readonly devicePrefix?: string | undefined;
  /** The sensors of the devices; those with a device type by default. */
  readonly deviceSensors?: DeviceSensors | undefined;
  readonly logger: Logger;
  readonly clock?: Clock;
  /** The seed of requests without one; a random one for each start by default. */
  readonly seed?: bigint | undefined;
  /** The folder for units when the memory is full or the generator is closed; none by default. */
  readonly spill?: { readonly folder: string; readonly bytesMax?: number };
  readonly limits?: Partial<OutboxLimits>;
  /** Replaces a client of `target`. */
  readonly sender?: UnitSender;
};

/** The state of the generator. Counts are since the last start, including the readings in the outbox at that time. */
export type GeneratorState = Omit<OutboxCounts, "added" | "spilledBytes" | "failedAttempts"> & {
  readonly running: boolean;
  /** The current simulation, or the last one; undefined before the first start. */
  readonly simulation: Simulation | undefined;
  /** When it was started, in milliseconds since 1970; undefined if it is not running. */
  readonly startedMs: number | undefined;
  /** Number of readings handed to the outbox: acked + refused + dropped + pending. */
  readonly sent: number;
  readonly lastError: { readonly text: string; readonly atMs: number } | undefined;
};

/** Simulates devices that send readings to ingest. */
export type Generator = AsyncDisposable & {
  /**
   * Starts the simulation.
   * @throws RpcError INVALID_ARGUMENT if the request is out of bounds, ALREADY_EXISTS if it is running.
   */
  start(request: SimulationRequest): void;
  /**
   * Stops the simulation and resolves when everything is delivered, or after `limitMs` (2 s by default); remaining
   * readings are still delivered afterwards. Stopping again has no effect.
   */
  stop(options?: { limitMs?: number }): Promise<void>;
  state(): GeneratorState;
  /** The counts of the outbox since the generator was created. */
  totals(): OutboxCounts;
  /**
   * Stops permanently; readings that cannot be delivered within `limitMs` (2 s by default) go to the spill folder, or
   * are lost and logged.
   */
  close(options?: { limitMs?: number }): Promise<void>;
};

/**
 * Creates an idle generator. Readings of an earlier process in its spill folder are sent at once.
 * @throws if the spill folder cannot be created or listed.
 */
export function createGenerator(options: GeneratorOptions): Generator {
  const { target, tls, logger, clock = systemClock, devicePrefix, deviceSensors } = options;
  const spill =
    options.spill &&
    openSpill({
      ...options.spill,
      tag: `${process.pid}-${clock.nowMs()}`,
      onProblem: ({ file, cause, text }) => {
        setLastError(text);
        logger.error({ file, error: cause }, text);
      },
    });
  const outbox = createOutbox({
    sender: options.sender ?? createIngestClient({ target, tls, clock }),
    clock,
    // The jitter must differ between processes, or a whole fleet would retry at the same moment.
    random: createRandom(BigInt(process.pid) ^ BigInt(Math.floor(clock.nowMs())), 0),
    whenFull: "drop",
    spill,
    limits: options.limits ?? {},
    sensors: deviceSensors?.sensors,
    observe,
  });
  let running: RunningSimulation | undefined;
  let simulation: Simulation | undefined;
  let startedMs: number | undefined;
  let lastError: GeneratorState["lastError"];
  let failing = false;
  let before = { acked: 0, refused: 0, dropped: 0 };

  function setLastError(text: string): void {
    lastError = { text, atMs: clock.nowMs() };
  }

  function observe(event: OutboxEvent): void {
    if (event.kind === "attemptFailed") {
      const { code, message } = event.failure;
      setLastError(`${code}: ${message}`);
      if (!failing) logger.warn({ target, code, reason: message }, "ingest failed; retrying");
      failing = true;
    } else if (event.kind === "full") {
      setLastError("the outbox is full; new readings are dropped");
      logger.warn("the outbox is full; dropping new readings");
    } else if (failing) {
      failing = false;
      logger.info({ target }, "ingest is available again");
    }
  }

  async function stop({ limitMs = stopLimitMs } = {}): Promise<void> {
    if (running === undefined) return;
    running.stop();
    running = undefined;
    startedMs = undefined;
    logger.info("generator stopped");
    const limit = new AbortController();
    const cancelLimit = clock.setTimer(limitMs, () => limit.abort());
    // After the time limit, the outbox continues by itself.
    await outbox.flush(limit.signal).catch(() => {});
    cancelLimit();
  }

  const close = closeOnce(async ({ limitMs = stopLimitMs } = {}) => {
    running?.stop();
    running = undefined;
    startedMs = undefined;
    const { undelivered } = await outbox.close({ limitMs });
    if (undelivered > 0) logger.warn({ undelivered }, "some readings were not delivered");
  });

  return {
    start(request) {
      const next = simulationOf(request, { seed: options.seed ?? randomSeed(), devicePrefix, deviceSensors });
      if (close.isClosing) throw new RpcError({ code: "UNAVAILABLE", message: "the generator is closed" });
      if (running !== undefined)
        throw new RpcError({ code: "ALREADY_EXISTS", message: "the generator is running" });
      const { acked, refused, dropped } = outbox.counts();
      before = { acked, refused, dropped };
      lastError = undefined;
      simulation = next;
      startedMs = clock.nowMs();
      running = startSimulation({ simulation, clock, sink: outbox.add });
      logger.info(
        {
          devices: simulation.devices.count,
          intervalMs: simulation.intervalMs,
          seed: String(simulation.seed),
        },
        "generator started",
      );
    },
    stop,
    state() {
      const { added, spilledBytes, failedAttempts, ...counts } = outbox.counts();
      return {
        ...counts,
        running: running !== undefined,
        simulation,
        startedMs,
        sent: added - before.acked - before.refused - before.dropped,
        acked: counts.acked - before.acked,
        refused: counts.refused - before.refused,
        dropped: counts.dropped - before.dropped,
        lastError,
      };
    },
    totals: () => outbox.counts(),
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}

/** 48 bits: a number that every client and every JSON parser can represent. */
function randomSeed(): bigint {
  return BigInt(randomInt(2 ** 48 - 1));
}
