import { randomUUID } from "node:crypto";
import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { acceptedSinceRecord, chainNames } from "@devicemesh/pipeline";
import { HealthCheckResponse_ServingStatus as ServingStatus } from "@devicemesh/proto/tsproto/grpc/health/v1/health.ts";
import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import {
  createTestClient,
  errorOf,
  frameOf,
  testNowMs,
  thermostatReading,
} from "../testing/ingest-fixture.ts";
import { type TestTopic, testTopic } from "../testing/kafka-topic-fixture.ts";
import { startProcess } from "../testing/process-fixture.ts";

const engines = await testEngines();

describe.skipIf(!engines)("ingest as a process, with brokers", () => {
  it("waits for its topic, reports what is missing, and serves as soon as it exists", async () => {
    const brokers = engines?.kafkaBrokers ?? [];
    const prefix = `ingest-test-${randomUUID()}-`;
    const { messages } = chainNames({ prefix }).topics;
    const topic = testTopic({ brokers, topic: messages, replicas: engines?.brokers ?? 1 });
    const reading = (offsetMs: number) => thermostatReading("a", Date.now() - testNowMs + offsetMs);
    await using ingest = await startProcess(
      ...["--kafka-brokers", brokers.join(","), "--topic-prefix", prefix, "--append-timeout", "2s"],
    );
    const client = createTestClient(ingest.port);
    try {
      expect(await ingest.health()).toBe(ServingStatus.NOT_SERVING);
      const error = errorOf(await client.publish(frameOf(reading(0))));
      expect(error.code).toBe(status.UNAVAILABLE);
      expect(error.details).toContain(
        `the message log has no topic ${messages} yet: the operator creates it`,
      );

      await topic.create();
      const isServing = async () => (await ingest.health()) === ServingStatus.SERVING;
      await waitUntil(isServing, { timeoutMs: 30_000, what: "it serves" });
      const outcome = await client.publish(frameOf(reading(1), reading(2)), frameOf(reading(3)));
      expect(outcome).toMatchObject({ kind: "ok", response: { accepted: 3n, refused: 0n } });
      expect(await topic.readAll()).toHaveLength(3);
      expect(await ingest.stop()).toBe(0);
    } finally {
      client.close();
      await topic.remove();
    }
  });

  it("rejects readings before the bound on the retention topic, whatever its own flag is", async () => {
    const brokers = engines?.kafkaBrokers ?? [];
    const prefix = `ingest-test-${randomUUID()}-`;
    const { messages, retention } = chainNames({ prefix }).topics;
    const [topic, bounds] = [messages, retention].map((name) =>
      testTopic({ brokers, topic: name, replicas: engines?.brokers ?? 1, partitions: 1 }),
    ) as [TestTopic, TestTopic];
    const hourMs = 3_600_000;
    const nowMs = Date.now();
    const publish = async (client: ReturnType<typeof createTestClient>, ages: readonly number[]) =>
      client.publish(frameOf(...ages.map((ageMs) => thermostatReading("a", nowMs - testNowMs - ageMs))));
    await topic.create();
    await bounds.create();
    const flags = ["--kafka-brokers", brokers.join(","), "--topic-prefix", prefix];
    try {
      await using ingest = await startProcess(...flags, "--retain-raw", "100h");
      const client = createTestClient(ingest.port);
      // The topic exists and is empty.
      const error = errorOf(await publish(client, [0]));
      expect(error.code).toBe(status.UNAVAILABLE);
      await bounds.append(acceptedSinceRecord({ acceptedSinceMs: nowMs - 2 * hourMs }));
      const isServing = async () => (await ingest.health()) === ServingStatus.SERVING;
      await waitUntil(isServing, { timeoutMs: 30_000, what: "it serves" });
      const rejected = { accepted: 1n, refused: 1n, refusedReadings: [{ ruleId: "timestamp.retained" }] };
      expect(await publish(client, [hourMs, 3 * hourMs])).toMatchObject({ kind: "ok", response: rejected });
      client.close();
      expect(await ingest.stop()).toBe(0);

      await bounds.append(acceptedSinceRecord({ acceptedSinceMs: nowMs - 4 * hourMs }));
      const fahrenheit = [{ sensor: "temperature", unit: "°F" }];
      await bounds.append(
        acceptedSinceRecord({ acceptedSinceMs: nowMs - hourMs / 2, sensorUnits: fahrenheit }),
      );
      await using again = await startProcess(...flags);
      const later = createTestClient(again.port);
      await waitUntil(() => again.output.stderr.includes("temperature is recorded in °F"), {
        timeoutMs: 30_000,
      });
      expect(await again.health()).toBe(ServingStatus.NOT_SERVING);
      const changed = errorOf(await publish(later, [0]));
      expect(changed.code).toBe(status.UNAVAILABLE);
      expect(changed.details).toContain("temperature is recorded in °F, not in °C");
      const celsius = [{ sensor: "temperature", unit: "°C" }];
      await bounds.append(acceptedSinceRecord({ acceptedSinceMs: nowMs - hourMs / 2, sensorUnits: celsius }));
      await waitUntil(async () => (await again.health()) === ServingStatus.SERVING, { timeoutMs: 30_000 });
      expect(await publish(later, [0, hourMs])).toMatchObject({ kind: "ok", response: rejected });
      later.close();
    } finally {
      await topic.remove();
      await bounds.remove();
    }
  });
});
