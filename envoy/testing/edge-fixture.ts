import { spawn } from "node:child_process";
import { once } from "node:events";
import { findEnvoy } from "@devicemesh/engines/testing/host-tools";
import { createGenerator, generatorRoutes } from "@devicemesh/generator";
import { ingestConfig, type MessageLog, startIngest } from "@devicemesh/ingest";
import { createMemoryMessageLog } from "@devicemesh/ingest/testing/memory-message-log";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { readContractImage } from "@devicemesh/proto/image";
import { queryConfig, startQuery } from "@devicemesh/query";
import { createMemoryReadingStore } from "@devicemesh/query/testing/memory-store/memory-reading-store";
import { contractServices } from "../src/contract-services.ts";
import { type StartEnvoyOptions, startEnvoy } from "../src/start-envoy.ts";

/** For tests: the path of the program, or undefined if it could not be installed. */
export const envoyBinary = findEnvoy();

/** For tests: the options of a separate Envoy, with free ports and no wait at the end. */
export const quietEnvoy = {
  binary: envoyBinary ?? "",
  plain: { host: "127.0.0.1", port: 0 },
  metrics: { host: "127.0.0.1", port: 0 },
  drainMs: 0,
} as const;

export const localhost = (port: number) => ({ host: "127.0.0.1", port });

/** The services that `startEdge` serves: all of the contract except the aggregator's, which needs engines. */
export const edgeServices: readonly string[] = contractServices(readContractImage())
  .map(({ name }) => name)
  .filter((name) => name !== "devicemesh.v1.AggregatorService");

/**
 * Starts ingest over a memory log, query over a memory store with the contents of the log, the generator's service, and
 * Envoy in front of them. The generator simulates no devices until it is started.
 */
export async function startEdge(options: Partial<StartEnvoyOptions> = {}) {
  await using starting = new AsyncDisposableStack();
  const { log: memory, store } = createJoinedStores();
  const image = readContractImage();
  const logger = silentLogger();
  const clock = Date.now;
  const ingest = starting.use(
    await startIngest(ingestConfig({ port: 0, shutdownGraceMs: 100 }), {
      log: memory.log,
      clock,
      logger,
      image,
    }),
  );
  const generator = createGenerator({ target: `127.0.0.1:${ingest.port}`, logger });
  starting.defer(() => generator.close({ limitMs: 500 }));
  const seen: SeenRequest[] = [];
  const query = starting.use(
    await startQuery(
      queryConfig({
        port: 0,
        shutdownGraceMs: 100,
        reflectServices: edgeServices,
      }),
      {
        store: store.store,
        clock,
        logger,
        image,
        extraRoutes: generatorRoutes(generator),
        httpRoutes: ["/", "/assets/*", "/latest", "/facts.json"].map((path) => ({
          method: "GET" as const,
          path,
          handle(request, response) {
            seen.push(request);
            response.setHeader("content-type", "text/html");
            response.end("<title>the page</title>");
          },
        })),
      },
    ),
  );
  const envoy = starting.use(
    await startEnvoy({
      ...quietEnvoy,
      ingest: [localhost(ingest.port)],
      query: [localhost(query.port)],
      generator: [localhost(query.port)],
      ...options,
    }),
  );
  const running = starting.move();
  return {
    envoy,
    ingest,
    query,
    memory,
    /** The requests for the page, as received behind Envoy. */
    seen,
    /** host:port of the plain listener. */
    address: `127.0.0.1:${envoy.plain.port}`,
    close: () => running.disposeAsync(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** A request as query received it. */
export type SeenRequest = { readonly headers: Readonly<Record<string, string | string[] | undefined>> };

function createJoinedStores() {
  const memory = createMemoryMessageLog();
  const store = createMemoryReadingStore({ clock: Date.now });
  const log: MessageLog = {
    async append(batch) {
      const before = memory.messages.length;
      const appended = await memory.log.append(batch);
      store.append(memory.messages.slice(before));
      return appended;
    },
  };
  return { log: { ...memory, log }, store };
}

/** The result of a command. */
export type Ran = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** Runs a program to its end, with `input` on its standard input. */
export async function runProgram(
  command: string,
  args: readonly string[],
  { input = "" }: { readonly input?: string } = {},
): Promise<Ran> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (chunk: string) => {
      output[name] += chunk;
    });
  }
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...output };
}
