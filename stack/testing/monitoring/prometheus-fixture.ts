import { spawn } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { temporaryFolder, waitUntil } from "@devicemesh/kit/testing/test-helpers";

/** A series of a result: its labels and its current value. */
export type Series = { readonly labels: Readonly<Record<string, string>>; readonly value: number };

/** For tests: a separate Prometheus. */
export type Prometheus = AsyncDisposable & {
  /** host:port */
  readonly address: string;
  /**
   * Returns the current value of an expression. @throws Error with Prometheus' message, or if it is not a set of
   * series.
   */
  query(expression: string): Promise<readonly Series[]>;
  /** GET below /api/v1/. @throws Error with Prometheus' message if it rejects the request. */
  get<Data>(path: string): Promise<Data>;
};

type Answer<Data> = { readonly status: string; readonly error?: string; readonly data: Data };
type Vector = {
  readonly resultType: "vector" | "scalar";
  readonly result: readonly {
    readonly metric: Readonly<Record<string, string>>;
    readonly value: [number, string];
  }[];
};

/**
 * Starts Prometheus on a free port with the configuration that `configOf` makes of its own address, and rules beside
 * it. Resolves when that configuration is loaded; disposing ends it.
 */
export async function startPrometheus(options: {
  readonly server: string;
  readonly rulesFile: string;
  readonly configOf: (ownAddress: string) => string;
}): Promise<Prometheus> {
  const { server, rulesFile, configOf } = options;
  await using starting = new AsyncDisposableStack();
  const folder = starting.use(temporaryFolder());
  const configFile = join(folder.path, "prometheus.yml");
  copyFileSync(rulesFile, join(folder.path, basename(rulesFile)));
  // It knows its port only once it listens; until then it has no targets.
  writeFileSync(configFile, "global: {}\n");
  const child = spawn(
    server,
    [
      ...[`--config.file=${configFile}`, `--storage.tsdb.path=${join(folder.path, "data")}`],
      "--web.listen-address=127.0.0.1:0",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const printed: string[] = [];
  let address: string | undefined;
  let loads = 0;
  createInterface({ input: child.stderr }).on("line", (line) => {
    printed.push(line);
    address ??= /msg="Listening on" address=(\S+)/.exec(line)?.[1];
    if (line.includes("Completed loading of configuration file")) loads++;
  });
  let over = false;
  const ended = new Promise<void>((resolve) => {
    child.once("error", (error) => printed.push(error.message));
    child.once("close", () => {
      over = true;
      resolve();
    });
  });
  starting.defer(async () => {
    child.kill("SIGTERM");
    await ended;
  });
  const until = (what: string, condition: () => boolean) =>
    waitUntil(() => over || condition(), { timeoutMs: 30_000, what }).then(() => {
      if (over) throw new Error(`Prometheus ended before ${what}:\n${printed.join("\n")}`);
    });
  await until("it listens", () => address !== undefined && loads === 1);
  writeFileSync(configFile, configOf(address!));
  child.kill("SIGHUP");
  await until("the configuration is loaded", () => loads === 2).catch((error: unknown) => {
    throw new Error(`Prometheus does not take the configuration:\n${printed.slice(-5).join("\n")}`, {
      cause: error,
    });
  });

  async function get<Data>(path: string): Promise<Data> {
    const response = await fetch(`http://${address}/api/v1/${path}`);
    const answer = (await response.json()) as Answer<Data>;
    if (answer.status !== "success") throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  }
  const running = starting.move();
  return {
    address: address!,
    get,
    async query(expression) {
      const { resultType, result } = await get<Vector>(`query?query=${encodeURIComponent(expression)}`);
      if (resultType === "scalar") throw new Error(`a scalar has no series: ${expression}`);
      return result.map(({ metric, value: [, value] }) => ({ labels: metric, value: Number(value) }));
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
