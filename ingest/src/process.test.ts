import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { waitUntil } from "@devicemesh/kit/testing";
import {
  HealthClient,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "@devicemesh/proto/tsproto/grpc/health/v1/health.ts";
import { credentials, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { createTestClient, detailsOf, errorOf, frameOf, thermostatReading } from "./testing.ts";

const main = fileURLToPath(new URL("main.ts", import.meta.url));

/** Ingest as a process whose brokers are not there: nothing listens on port 1. */
async function startProcess(...args: readonly string[]) {
  const child = spawn(
    process.execPath,
    [main, "--port", "0", "--kafka-brokers", "127.0.0.1:1", "--append-timeout", "1s", ...args],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const closed = once(child, "close") as Promise<[number | null]>;
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  await waitUntil(() => output.stdout.includes("\n") || child.exitCode !== null, { timeoutMs: 20_000 });
  const port = Number(/^listening on 127\.0\.0\.1:(\d+)\n$/.exec(output.stdout)?.[1]);
  return {
    port,
    output,
    /** Resolves to the exit code. */
    async stop() {
      child.kill("SIGTERM");
      return (await closed)[0];
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await closed;
    },
  };
}

describe("ingest as a process", () => {
  it("listens though Kafka is away, says NOT_SERVING, and answers UNAVAILABLE with RetryInfo in time", async () => {
    await using ingest = await startProcess();
    expect(await healthOf(ingest.port)).toBe(ServingStatus.NOT_SERVING);
    const client = createTestClient(ingest.port);
    const startMs = performance.now();
    const error = errorOf(await client.publish(frameOf(thermostatReading("a", Date.now() - 1.8e12))));
    expect(performance.now() - startMs).toBeLessThan(3000);
    client.close();
    expect(error.code).toBe(status.UNAVAILABLE);
    expect(error.details).toContain("the message log cannot be reached");
    expect(detailsOf(error).retryInfo).toBeDefined();
    expect(ingest.output.stderr).toContain("the message log is away");
  });

  it("takes nobody's readings behind Envoy that Envoy does not name", async () => {
    await using ingest = await startProcess("--trust-forwarded-identity", "--log-level", "silent");
    const client = createTestClient(ingest.port);
    const error = errorOf(await client.publish(frameOf(thermostatReading("a"))));
    client.close();
    expect(error.code).toBe(status.UNAUTHENTICATED);
    expect(detailsOf(error).errorInfo?.reason).toBe("CERTIFICATE_MISSING");
  });

  it("ends with 2 beyond this machine without identity, and says what to do", async () => {
    await using ingest = await startProcess("--host", "0.0.0.0");
    expect(await ingest.stop()).toBe(2);
    expect(ingest.output.stderr).toContain("--device-ca");
    expect(ingest.output.stderr).toContain("--insecure-beyond-loopback");
  });

  it("ends with 0 when it is asked to", async () => {
    await using ingest = await startProcess("--log-level", "silent");
    expect(await ingest.stop()).toBe(0);
    expect(ingest.output.stdout).toBe(`listening on 127.0.0.1:${ingest.port}\n`);
  });

  it("refuses readings that are not kept any more", async () => {
    await using ingest = await startProcess("--retain-raw", "1h");
    const client = createTestClient(ingest.port);
    const outcome = await client.publish(frameOf(thermostatReading("a", -30 * 86_400_000)));
    client.close();
    expect(outcome).toMatchObject({
      kind: "ok",
      response: { accepted: 0n, refused: 1n, refusedReadings: [{ ruleId: "timestamp.retained" }] },
    });
  });

  it("names a flag that it does not know, and ends with 2", async () => {
    await using ingest = await startProcess("--kafka-broker", "x");
    expect(await ingest.stop()).toBe(2);
    expect(ingest.output.stderr).toContain("--kafka-brokers");
  });
});

async function healthOf(port: number): Promise<ServingStatus> {
  const client = new HealthClient(`127.0.0.1:${port}`, credentials.createInsecure());
  const { promise, resolve, reject } = Promise.withResolvers<ServingStatus>();
  client.check({ service: "" }, (error, response) => (error ? reject(error) : resolve(response.status)));
  return promise.finally(() => client.close());
}
