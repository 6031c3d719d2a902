import { createWriteStream } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { type Envoy, type HostPort, type StartEnvoyOptions, startEnvoy } from "@devicemesh/envoy";
import { closeOnce } from "@devicemesh/kit/lifetime/close-once";
import { addressPollMs } from "../limits.ts";
import { createRestartDelays } from "../services/restart-delays.ts";
import type { ServiceProcess } from "../services/service-process.ts";

/** How the front door is run. */
export type EnvoyProcessOptions = {
  readonly envoy: Omit<StartEnvoyOptions, "detached" | "onSpawn" | "onOutput" | "signal">;
  /** Receives its output. */
  readonly logFile: string;
  /** Called when it died by itself and is about to be restarted. */
  readonly onDeath?: (name: string, how: string) => void;
  /** Called with its process id after each start. */
  readonly onStart?: (name: string, processId: number) => void;
  /** Cancels the first start, and ends the process. */
  readonly signal?: AbortSignal | undefined;
};

/** The front door: like a service, except that stopping it drains open calls first. */
export type EnvoyProcess = ServiceProcess & {
  /** host:port of its metrics. */
  readonly metricsAddress: string;
  /** host:port of the listener for users, if there is one. */
  readonly publicAddress: string | undefined;
  /** host:port of the listener for devices, if there is one. */
  readonly devicesAddress: string | undefined;
};

/**
 * Starts Envoy in a separate process group and keeps it running, on the same ports, until it is stopped.
 * @throws Error with Envoy's message if it does not start.
 */
export async function startEnvoyProcess(options: EnvoyProcessOptions): Promise<EnvoyProcess> {
  const { logFile, onDeath, onStart } = options;
  const name = "envoy";
  const log = createWriteStream(logFile, { flags: "a" });
  const stopping = new AbortController();
  const { signal } = stopping;
  const start = (listeners: Partial<StartEnvoyOptions>): Promise<Envoy> =>
    startEnvoy({
      ...options.envoy,
      ...listeners,
      // Ctrl-C in a terminal is for the mesh, which ends all processes in order.
      detached: true,
      onSpawn: (processId) => onStart?.(name, processId),
      onOutput: (text) => log.write(text),
    });

  const first = await start({ signal: options.signal });
  const { plain, metrics } = first;
  const again: Partial<StartEnvoyOptions> = {
    plain,
    metrics,
    ...(options.envoy.public && first.public && { public: { ...options.envoy.public, ...first.public } }),
    ...(options.envoy.devices &&
      first.devices && { devices: { ...options.envoy.devices, ...first.devices } }),
  };
  let current: Envoy | undefined = first;

  const supervision = (async () => {
    const restartDelays = createRestartDelays();
    let startedMs = performance.now();
    for (;;) {
      let how: string;
      if (current) {
        how = await current.ended;
        if (signal.aborted) return;
        // The files that it leaves are deleted too.
        const dead = current;
        current = undefined;
        await dead.close();
      } else {
        startedMs = performance.now();
        try {
          current = await start(again);
          if (signal.aborted) return;
          continue;
        } catch (error) {
          how = error instanceof Error ? error.message : String(error);
        }
      }
      if (signal.aborted) return;
      onDeath?.(name, how);
      await delay(restartDelays.after(performance.now() - startedMs), undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
    }
  })();

  const stop = closeOnce(async () => {
    stopping.abort();
    await current?.close();
    await supervision;
    // Also one that was just being restarted.
    await current?.close();
    log.end();
  });

  return {
    name,
    address: addressText(plain),
    metricsAddress: addressText(metrics),
    publicAddress: first.public && addressText(first.public),
    devicesAddress: first.devices && addressText(first.devices),
    get processId() {
      return current?.processId;
    },
    async kill() {
      const killed = current;
      if (!killed) return;
      process.kill(killed.processId, "SIGKILL");
      await killed.ended;
    },
    async listening() {
      // A process that was just killed is still the current one.
      await delay(0);
      while (!current) {
        if (signal.aborted) throw new Error(`${name} was stopped`);
        await delay(addressPollMs, undefined, { signal }).catch(() => {});
      }
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Formats host:port in the notation of clients. */
export function addressText({ host, port }: HostPort): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
