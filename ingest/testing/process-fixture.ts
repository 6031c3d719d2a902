import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import {
  HealthClient,
  type HealthCheckResponse_ServingStatus as ServingStatus,
} from "@devicemesh/proto/tsproto/grpc/health/v1/health.ts";
import { credentials } from "@grpc/grpc-js";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));

/** For tests: ingest as a process on a free port, once it listens or has ended; then `port` is NaN. */
export async function startProcess(...args: readonly string[]) {
  const { NODE_COMPILE_CACHE } = process.env;
  const child = spawn(process.execPath, [main, "--port", "0", ...args], {
    // Without the rest of our environment, whose variables for the test run are not settings of ingest.
    env: NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const closed = once(child, "close") as Promise<[number | null]>;
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output.stderr += text;
  });
  await waitUntil(() => output.stdout.includes("\n") || child.exitCode !== null, { timeoutMs: 30_000 });
  const port = Number(/^listening on 127\.0\.0\.1:(\d+)\n$/.exec(output.stdout)?.[1]);
  return {
    port,
    output,
    /** The overall status of its health service. */
    async health(): Promise<ServingStatus> {
      const client = new HealthClient(`127.0.0.1:${port}`, credentials.createInsecure());
      const { promise, resolve, reject } = Promise.withResolvers<ServingStatus>();
      client.check({ service: "" }, (error, response) => (error ? reject(error) : resolve(response.status)));
      return promise.finally(() => client.close());
    },
    /** Stops it; resolves to the exit code. */
    async stop(): Promise<number | null> {
      child.kill("SIGTERM");
      return (await closed)[0];
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await closed;
    },
  };
}
