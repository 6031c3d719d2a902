import { randomUUID } from "node:crypto";
import { chainNames } from "@devicemesh/chain";
import { testEngines } from "@devicemesh/engines/testing";
import { waitUntil } from "@devicemesh/kit/testing";
import { HealthCheckResponse_ServingStatus as ServingStatus } from "@devicemesh/proto/tsproto/grpc/health/v1/health.ts";
import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { testTopic } from "./kafka-topic-fixture.ts";
import { startProcess } from "./process-fixture.ts";
import { createTestClient, errorOf, frameOf, testNowMs, thermostatReading } from "./testing.ts";

const engines = await testEngines();

describe.skipIf(!engines)("ingest as a process, with brokers", () => {
  it("waits for its topic, says what is missing, and serves as soon as it is there", async () => {
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
});
