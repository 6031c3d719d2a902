import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { closeOnce } from "@devicemesh/kit/lifetime/close-once";
import { readContractImage } from "@devicemesh/proto/image";
import { type Admin, createAdmin } from "./admin.ts";
import { renderEnvoy } from "./render.ts";
import type { EnvoySettings, HostPort } from "./settings.ts";
import { validateConfig } from "./validate.ts";

/** How an Envoy is started: its required settings, and the options of the process. */
export type StartEnvoyOptions = Omit<EnvoySettings, "nodeId" | "admin" | "contractImage" | "accessLog"> & {
  /** The path of the program. */
  readonly binary: string;
  readonly nodeId?: string;
  /**
   * The folder of its configuration and its admin socket while it runs; existing files in it are deleted first. A
   * separate one in the system's temporary folder if left out, or if its path is too long for a socket.
   */
  readonly folder?: string | undefined;
  /** Worker threads; 1 by default: one machine seldom needs as many as Envoy's default, one for each core. */
  readonly concurrency?: number;
  /** File of the access log; none by default. */
  readonly accessLog?: string;
  /** How long `close` keeps accepting calls, so that load balancers notice that it is no longer ready. */
  readonly drainMs?: number;
  /** How long `close` then waits for open calls: at least a commit unit. */
  readonly openCallsMs?: number;
  /**
   * Starts it in a separate process group: Ctrl-C in a terminal, on which it would cut all open streams, does not reach
   * it, and the process that started it must end it.
   */
  readonly detached?: boolean;
  /** Called with its process id before it is ready; clean-up after a kill needs it. */
  readonly onSpawn?: (processId: number) => void;
  /** Receives its output: warnings and errors. */
  readonly onOutput?: (text: string) => void;
  /** Cancels the start, and ends the process. */
  readonly signal?: AbortSignal | undefined;
  /** Changes the rendered text, for a test service that is not part of the mesh. */
  readonly edit?: (config: string) => string;
};

/** Envoy, listening. */
export type Envoy = AsyncDisposable & {
  readonly plain: HostPort;
  readonly metrics: HostPort;
  /** The listener for users, if there is one. */
  readonly public: HostPort | undefined;
  /** The listener for devices, if there is one. */
  readonly devices: HostPort | undefined;
  readonly processId: number;
  readonly admin: Admin;
  /** Resolves with how the process ended, whatever ended it. */
  readonly ended: Promise<string>;
  /**
   * Reports that it is not ready, accepts calls for `drainMs` more, waits at most `openCallsMs` for open calls, and
   * ends the process. Closing again has no effect.
   */
  close(): Promise<void>;
};

const readyLimitMs = 20_000;
/** After SIGTERM it ends at once; this limit is for one that hangs. */
const stopLimitMs = 5_000;
const pollMs = 20;

/**
 * Renders envoy.yaml, lets Envoy validate it, starts Envoy, and resolves when it is ready.
 * @throws Error with Envoy's message if it rejects the configuration or does not become ready; the signal's reason,
 * once its process has ended.
 */
export async function startEnvoy(options: StartEnvoyOptions): Promise<Envoy> {
  const { binary, concurrency = 1, drainMs = 1000, openCallsMs = 15_000, edit = (text) => text } = options;
  const { signal } = options;
  signal?.throwIfAborted();
  await using starting = new AsyncDisposableStack();
  const folder = await makeFolder(options.folder);
  starting.defer(() => rm(folder, { recursive: true, force: true }));
  const socketFile = join(folder, "admin.sock");
  const configFile = join(folder, "envoy.yaml");
  const contractImage = join(folder, "image.binpb");
  await writeFile(contractImage, readContractImage());
  const config = renderEnvoy({
    nodeId: "envoy",
    accessLog: "/dev/null",
    ...settingsOf(options),
    admin: { socketFile },
    contractImage,
  });
  await writeFile(configFile, edit(config));
  await validateConfig(binary, configFile);
  signal?.throwIfAborted();

  const child = spawn(
    binary,
    [
      ...["-c", configFile, "--concurrency", `${concurrency}`, "--log-level", "warning"],
      ...["--drain-time-s", `${Math.ceil(drainMs / 1000)}`, "--drain-strategy", "immediate"],
      // Several instances run on one machine without hot restart.
      ...["--disable-hot-restart", "--file-flush-interval-msec", "250"],
    ],
    { stdio: ["ignore", "ignore", "pipe"], detached: options.detached ?? false },
  );
  if (child.pid !== undefined) options.onSpawn?.(child.pid);
  let printed = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    printed = (printed + chunk).slice(-10_000);
    options.onOutput?.(chunk);
  });
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  starting.defer(async () => {
    child.kill("SIGTERM");
    const limit = setTimeout(() => child.kill("SIGKILL"), stopLimitMs);
    await ended;
    clearTimeout(limit);
  });
  const admin = createAdmin(socketFile);
  await ready(admin, ended, signal).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw new Error(`Envoy did not become ready:\n${printed.trim()}`, { cause: error });
  });
  const addresses = await admin.listenerAddresses();
  const [plain, metrics] = [addresses.get("plain"), addresses.get("metrics")];
  if (!plain || !metrics || child.pid === undefined)
    throw new Error(`Envoy does not listen:\n${printed.trim()}`);
  const running = starting.move();

  const close = closeOnce(async () => {
    const gone = await Promise.race([drain(admin, drainMs, openCallsMs).catch(() => {}), ended]);
    if (gone !== undefined) await ended;
    await running.disposeAsync();
  });
  return {
    plain,
    metrics,
    public: addresses.get("public"),
    devices: addresses.get("devices"),
    processId: child.pid,
    admin,
    ended,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The longest path of a socket file that all systems accept. */
const socketPathMax = 103;

async function makeFolder(wanted: string | undefined): Promise<string> {
  if (wanted === undefined || join(wanted, "admin.sock").length > socketPathMax) {
    return mkdtemp(join(tmpdir(), "devicemesh-envoy-"));
  }
  await rm(wanted, { recursive: true, force: true });
  await mkdir(wanted, { mode: 0o700 });
  return wanted;
}

/** The options that are settings of envoy.yaml. */
function settingsOf(options: StartEnvoyOptions) {
  const {
    binary,
    concurrency,
    drainMs,
    openCallsMs,
    detached,
    onSpawn,
    onOutput,
    signal,
    edit,
    ...settings
  } = options;
  return settings;
}

async function ready(admin: Admin, ended: Promise<string>, signal: AbortSignal | undefined): Promise<void> {
  let over: string | undefined;
  void ended.then((how) => {
    over = how;
  });
  const deadlineMs = performance.now() + readyLimitMs;
  for (;;) {
    const answer = await admin.get("/ready").catch(() => undefined);
    signal?.throwIfAborted();
    if (answer?.status === 200) return;
    if (over !== undefined) throw new Error(over);
    if (performance.now() > deadlineMs) throw new Error(`not ready within ${readyLimitMs} ms`);
    await delay(pollMs);
  }
}

/** SIGTERM alone cuts open streams: first new calls are rejected, then open ones end. */
async function drain(admin: Admin, drainMs: number, openCallsMs: number): Promise<void> {
  await admin.post("/healthcheck/fail");
  await admin.post("/drain_listeners?graceful");
  await delay(drainMs);
  const deadlineMs = performance.now() + openCallsMs;
  while ((await admin.activeCalls()) > 0 && performance.now() < deadlineMs) await delay(pollMs);
}
