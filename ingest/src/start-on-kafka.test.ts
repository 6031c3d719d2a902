import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { HealthCheckResponse_ServingStatus as ServingStatus } from "@devicemesh/proto/tsproto/grpc/health/v1/health.ts";
import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import {
  createTestClient,
  detailsOf,
  errorOf,
  frameOf,
  testNowMs,
  thermostatReading,
} from "../testing/ingest-fixture.ts";
import { startProcess } from "../testing/process-fixture.ts";

// No server listens on port 1.
const withoutKafka = ["--kafka-brokers", "127.0.0.1:1", "--append-timeout", "1s"];

/** The offset between the time of all tests and that of processes. */
const offsetMs = Date.now() - testNowMs;

describe("ingest as a process", () => {
  it("listens while Kafka is unavailable, reports NOT_SERVING, and answers UNAVAILABLE with RetryInfo", async () => {
    await using ingest = await startProcess(...withoutKafka);
    expect(await ingest.health()).toBe(ServingStatus.NOT_SERVING);
    const client = createTestClient(ingest.port);
    const error = errorOf(await client.publish(frameOf(thermostatReading("a", offsetMs))));
    client.close();
    expect(error.code).toBe(status.UNAVAILABLE);
    expect(error.details).toContain("the message log cannot be reached");
    expect(detailsOf(error).retryInfo).toBeDefined();
  });

  it("reports in one line what it waits for, also a broker whose name does not resolve", async () => {
    await using ingest = await startProcess("--kafka-brokers", "kafka-1.invalid:9092");
    await waitUntil(() => ingest.output.stderr.includes("waiting for dependency"), { timeoutMs: 20_000 });
    const client = createTestClient(ingest.port);
    // As long as several attempts take.
    errorOf(await client.publish(frameOf(thermostatReading("a", offsetMs))));
    client.close();
    const lines = ingest.output.stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.filter(({ dependency }) => dependency === "kafka")).toEqual([
      expect.objectContaining({
        msg: "waiting for dependency",
        reason: expect.stringMatching(/^the message log cannot be reached: .*ENOTFOUND kafka-1.invalid/),
      }),
    ]);
    expect(ingest.output.stderr).not.toMatch(/\\n +at /);
  });

  it("accepts only readings of senders that Envoy names", async () => {
    await using ingest = await startProcess("--trust-forwarded-identity", "--log-level", "silent");
    const client = createTestClient(ingest.port);
    const error = errorOf(await client.publish(frameOf(thermostatReading("a"))));
    client.close();
    expect(error.code).toBe(status.UNAUTHENTICATED);
    expect(detailsOf(error).errorInfo?.reason).toBe("CERTIFICATE_MISSING");
  });

  it("exits with 2 beyond this machine without authentication, and reports what to do", async () => {
    await using ingest = await startProcess("--host", "0.0.0.0");
    expect(await ingest.stop()).toBe(2);
    expect(ingest.output.stderr).toContain("--device-ca");
    expect(ingest.output.stderr).toContain("--insecure-beyond-loopback");
  });

  it("exits with 0 on a signal", async () => {
    await using ingest = await startProcess(...withoutKafka, "--log-level", "silent");
    expect(await ingest.stop()).toBe(0);
    expect(ingest.output.stdout).toBe(`listening on 127.0.0.1:${ingest.port}\n`);
  });

  it("accepts and rejects nothing while the retention mark is unknown", async () => {
    await using ingest = await startProcess(...withoutKafka, "--retain-raw", "1h");
    const client = createTestClient(ingest.port);
    for (const ageMs of [0, 2 * 3_600_000]) {
      const error = errorOf(await client.publish(frameOf(thermostatReading("a", offsetMs - ageMs))));
      expect(error.code).toBe(status.UNAVAILABLE);
      expect(error.details).toContain("the retention mark is unknown");
    }
    client.close();
  });

  it("listens, and ends when it is stopped, if its brokers accept connections and do not answer", async () => {
    const silent = createServer(() => {}).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    try {
      await using ingest = await startProcess(
        "--kafka-brokers",
        `127.0.0.1:${port}`,
        "--append-timeout",
        "1s",
      );
      const client = createTestClient(ingest.port);
      const error = errorOf(await client.publish(frameOf(thermostatReading("a", offsetMs))));
      client.close();
      expect(error.code).toBe(status.UNAVAILABLE);
      expect(await ingest.stop()).toBe(0);
    } finally {
      silent.close();
    }
  });

  it("names an unknown flag, and exits with 2", async () => {
    await using ingest = await startProcess("--kafka-broker", "x");
    expect(await ingest.stop()).toBe(2);
    expect(ingest.output.stderr).toContain("--kafka-brokers");
  });
});
