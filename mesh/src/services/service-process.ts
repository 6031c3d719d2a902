import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { closeOnce } from "@devicemesh/kit/lifetime/close-once";
import { logLinesShownMax, stopLimitMs } from "../limits.ts";
import { createRestartDelays } from "./restart-delays.ts";

/** How a service is run. */
export type ServiceOptions = {
  readonly name: string;
  /** Its main.ts. */
  readonly main: string;
  /** Its flags; the port is fixed from the second start on, so that it stays the same. */
  readonly args: (port: number | undefined) => readonly string[];
  /** Its environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether it serves metrics, on a port that stays the same. */
  readonly metrics?: boolean;
  /** Receives its output. */
  readonly logFile: string;
  /** Called when it died by itself and is about to be restarted. */
  readonly onDeath?: (name: string, how: string) => void;
  /** Called with its process id after each start; clean-up after a kill needs it. */
  readonly onStart?: (name: string, processId: number) => void;
  /** Cancels the first start, and ends the process. */
  readonly signal?: AbortSignal | undefined;
};

/** A service in a separate process, restarted whenever it dies. */
export type ServiceProcess = AsyncDisposable & {
  readonly name: string;
  /** host:port where it listens. */
  readonly address: string;
  /** host:port of its metrics, if it serves any. */
  readonly metricsAddress: string | undefined;
  /** Its current process, or undefined while it is being restarted. */
  readonly processId: number | undefined;
  /** Kills it at once, like a power cut; it is restarted. Resolves when it is dead. */
  kill(): Promise<void>;
  /** Resolves when it listens (again). */
  listening(): Promise<void>;
  /** Stops it like Ctrl-C, and kills it after `stopLimitMs`. Stopping again has no effect. */
  stop(): Promise<void>;
};

/** kafkajs sets timers that are already due, and Node warns about each. */
const nodeFlags = ["--disable-warning=TimeoutNegativeWarning"];
/**
 * Starts a service and resolves when it reports its address.
 * @throws Error with its last lines if it ends before that; the signal's reason, once its process has ended.
 */
export async function startServiceProcess(options: ServiceOptions): Promise<ServiceProcess> {
  const { name, main, args, env, logFile, onDeath, onStart } = options;
  options.signal?.throwIfAborted();
  const log = createWriteStream(logFile, { flags: "a" });
  const stopping = new AbortController();
  let child: ChildProcess | undefined;
  let port: number | undefined;
  let address = "";
  let metricsPort = 0;
  let metricsAddress: string | undefined;
  const restartDelays = createRestartDelays();
  let waitMs = 0;

  function run(): { readonly listening: Promise<void>; readonly ended: Promise<string> } {
    const startedMs = performance.now();
    const metricsFlags = options.metrics ? ["--metrics-port", `${metricsPort}`] : [];
    const running = spawn(process.execPath, [...nodeFlags, main, ...args(port), ...metricsFlags], {
      stdio: ["ignore", "pipe", "pipe"],
      // A separate process group: Ctrl-C in a terminal is for the mesh, which ends its services in order.
      detached: true,
      env: { ...env },
    });
    child = running;
    if (running.pid !== undefined) onStart?.(name, running.pid);
    const last: string[] = [];
    const ended = new Promise<string>((resolve) => {
      running.once("error", (error) => resolve(error.message));
      running.once("close", (code, signal) => resolve(signal ?? `exit code ${code}`));
    }).finally(() => {
      if (child === running) child = undefined;
      waitMs = restartDelays.after(performance.now() - startedMs);
    });
    const listening = new Promise<void>((resolve, reject) => {
      for (const stream of [running.stdout, running.stderr]) {
        if (!stream) continue;
        createInterface({ input: stream }).on("line", (line) => {
          log.write(`${line}\n`);
          last.push(line);
          last.splice(0, last.length - logLinesShownMax);
          const [, what, host, number] = /^(listening|metrics) on (\S+):(\d+)$/.exec(line) ?? [];
          if (what === "listening") {
            port = Number(number);
            address = `${host}:${port}`;
          } else if (what === "metrics") {
            metricsPort = Number(number);
            metricsAddress = `${host}:${metricsPort}`;
          }
          // The line of the metrics is the later one.
          if (what === (options.metrics ? "metrics" : "listening")) resolve();
        });
      }
      ended.then((how) => reject(new Error(`${name} ended with ${how}:\n${last.join("\n")}`)), reject);
    });
    listening.catch(() => {});
    return { listening, ended };
  }

  /** Stops the current process gracefully, and kills it after `stopLimitMs`; resolves when `gone` does. */
  async function endProcess(gone: Promise<unknown>): Promise<void> {
    const running = child;
    running?.kill("SIGTERM");
    const cut = setTimeout(() => running?.kill("SIGKILL"), stopLimitMs);
    await gone;
    clearTimeout(cut);
  }

  let current = run();
  await startedUnless(options.signal, current.listening).catch(async (error: unknown) => {
    await endProcess(current.ended);
    log.end();
    throw error;
  });

  const supervision = (async () => {
    for (;;) {
      const how = await current.ended;
      if (stopping.signal.aborted) return;
      onDeath?.(name, how);
      await delay(waitMs, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) return;
      current = run();
    }
  })();

  const stop = closeOnce(async () => {
    stopping.abort();
    await endProcess(supervision);
    log.end();
  });

  return {
    name,
    get address() {
      return address;
    },
    get metricsAddress() {
      return metricsAddress;
    },
    get processId() {
      return child?.pid;
    },
    async kill() {
      const { ended } = current;
      child?.kill("SIGKILL");
      await ended;
    },
    async listening() {
      for (;;) {
        const waited = current;
        const ok = await waited.listening.then(
          () => true,
          () => false,
        );
        if (ok && waited === current && child !== undefined) return;
        if (stopping.signal.aborted) throw new Error(`${name} was stopped`);
        await delay(20, undefined, { signal: stopping.signal }).catch(() => {});
      }
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Settles like the start, or rejects with the signal's reason. */
async function startedUnless(signal: AbortSignal | undefined, start: Promise<void>): Promise<void> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    await Promise.race([start, aborted.promise]);
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
