import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openKafkaOffsets } from "@devicemesh/aggregator/log/kafka-offsets";
import { openKafkaTicks } from "@devicemesh/aggregator/log/kafka-ticks";
import { createSparkFixture, expectExact } from "@devicemesh/aggregator/testing/spark-fixture";
import {
  adversarialReading,
  recordOf,
  seededNumbers,
} from "@devicemesh/aggregator/testing/spark-readings-fixture";
import { type SecuredBroker, startSecuredBroker } from "@devicemesh/engines/testing/secured-broker";
import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { createTestAuthority, type TestAuthority } from "@devicemesh/identity/testing/test-credentials";
import { testTopic } from "@devicemesh/ingest/testing/kafka-topic-fixture";
import { startProcess } from "@devicemesh/ingest/testing/process-fixture";
import { temporaryFolder, waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { applyParts } from "@devicemesh/operator/definition/inspect-mesh";
import { inspectTopics } from "@devicemesh/operator/definition/kafka-topics";
import { topicDefinitions } from "@devicemesh/operator/definition/topic-definitions";
import { openEngines } from "@devicemesh/operator/mesh-engines";
import { freshMesh } from "@devicemesh/operator/testing/mesh-fixture";
import { meshDefinition } from "@devicemesh/operator/testing/prepare-mesh";
import { chainNames } from "@devicemesh/pipeline";
import { createKafka, type KafkaSecurity } from "@devicemesh/pipeline/kafka-client";
import { kafkaSecurityOf } from "@devicemesh/pipeline/kafka-security";
import { KafkaSecurityError } from "@devicemesh/pipeline/kafka-security-error";
import { HealthCheckResponse_ServingStatus as ServingStatus } from "@devicemesh/proto/tsproto/grpc/health/v1/health.ts";
import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPublisher, readingOf } from "../../testing/publisher.ts";

const engines = await testEngines();
const mechanisms = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const;
const rejects =
  "the brokers reject the credentials: check --kafka-sasl with --kafka-username and --kafka-password";
const untrusted = "the certificate of the broker is not trusted: set --kafka-ca";

/** What a service is started with; the broker's own by default. */
type Given = {
  readonly sasl?: (typeof mechanisms)[number];
  readonly password?: string;
  readonly ca?: string;
};

describe.skipIf(!engines)("with a broker that accepts clients over TLS with SASL", () => {
  let authority: TestAuthority;
  let other: TestAuthority;
  let broker: SecuredBroker;
  const folder = temporaryFolder();
  beforeAll(async () => {
    [authority, other] = await Promise.all([createTestAuthority(), createTestAuthority()]);
    broker = await startSecuredBroker(authority.server);
  });
  afterAll(async () => {
    await broker?.[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  /** The values of the flags of all services. */
  function settingsOf({
    sasl = "SCRAM-SHA-512",
    password = broker.password,
    ca = authority.certificate,
  }: Given) {
    const kafkaCa = join(folder.path, `${randomUUID()}.pem`);
    writeFileSync(kafkaCa, ca);
    return { kafkaCa, kafkaSasl: sasl, kafkaUsername: broker.username, kafkaPassword: password };
  }
  const securityOf = (given: Given): KafkaSecurity | undefined => kafkaSecurityOf(settingsOf(given));

  describe("ingest", () => {
    const messages = ["a", "b"].map((deviceId) => ({
      deviceId,
      sensor: "temperature",
      timestampMs: Date.now(),
      value: 21.5,
    }));
    const start = (given: Given, prefix = "") => {
      const { kafkaCa, kafkaSasl, kafkaUsername, kafkaPassword } = settingsOf(given);
      return startProcess(
        ...["--kafka-brokers", broker.address, "--topic-prefix", prefix, "--append-timeout", "2s"],
        ...["--kafka-ca", kafkaCa, "--kafka-sasl", kafkaSasl],
        ...["--kafka-username", kafkaUsername, "--kafka-password", kafkaPassword],
      );
    };

    it.each(mechanisms)("stores readings with %s, and a consumer reads them back", async (sasl) => {
      const prefix = `secured-${randomUUID()}-`;
      const security = securityOf({ sasl })!;
      const topic = chainNames({ prefix }).topics.messages;
      const stored = testTopic({ brokers: [broker.address], topic, replicas: 1, security });
      await stored.create();
      await using ingest = await start({ sasl }, prefix);
      const isServing = async () => (await ingest.health()) === ServingStatus.SERVING;
      await waitUntil(isServing, { timeoutMs: 30_000, what: "ingest serves" });
      using publisher = createPublisher(`127.0.0.1:${ingest.port}`);
      expect(await publisher.publish(messages.map(readingOf))).toMatchObject({ accepted: 2n, refused: 0n });
      expect((await stored.readAll()).toSorted((a, b) => (a.deviceId < b.deviceId ? -1 : 1))).toEqual(
        messages,
      );
      await stored.remove();
    });

    /** Returns what ingest logs about Kafka; a caller receives UNAVAILABLE, and no password is in any text. */
    async function reasonWith(given: Given): Promise<string> {
      await using ingest = await start(given);
      const lines = () => ingest.output.stderr.split("\n").filter((line) => line.includes(`"kafka"`));
      await waitUntil(() => lines().length > 0, { timeoutMs: 30_000, what: "the reason is logged" });
      expect(await ingest.health()).toBe(ServingStatus.NOT_SERVING);
      using publisher = createPublisher(`127.0.0.1:${ingest.port}`);
      const error = await publisher.publish(messages.map(readingOf)).catch((failure: unknown) => failure);
      expect(error).toMatchObject({ code: status.UNAVAILABLE });
      const texts = `${String(error)} ${ingest.output.stderr}`;
      expect(texts).not.toContain(given.password ?? broker.password);
      return JSON.parse(lines()[0] as string).reason;
    }

    it.each(mechanisms)("names the flags of the credentials if %s has the wrong password", async (sasl) => {
      expect(await reasonWith({ sasl, password: "not the password" })).toContain(rejects);
    });

    it("names --kafka-ca if another CA has issued the certificate of the broker", async () => {
      expect(await reasonWith({ ca: other.certificate })).toContain(untrusted);
    });
  });

  describe("the operator", () => {
    const open = (given: Given) => {
      const mesh = { ...freshMesh({ ...engines!, brokers: 1 }), kafkaBrokers: [broker.address] };
      return { mesh, engines: openEngines({ ...mesh, kafkaSecurity: securityOf(given) }, mesh.database) };
    };
    const signal = AbortSignal.timeout(240_000);

    it.each(mechanisms)("creates the topics and reads the disks of the broker with %s", async (sasl) => {
      const { mesh, engines: opened } = open({ sasl });
      await using _ = opened;
      await opened.ask("kafka", signal);
      const definitions = topicDefinitions(meshDefinition(mesh));
      await applyParts(await inspectTopics(opened.withAdmin, definitions));
      const differences = (await inspectTopics(opened.withAdmin, definitions)).map(
        ({ difference }) => difference.kind,
      );
      expect(new Set(differences)).toEqual(new Set(["same"]));
      expect((await opened.readBrokerDisks(signal)).map(({ name }) => name)).toEqual(["of broker 1"]);
    });

    it.each(mechanisms)("names the flags of the credentials if %s has the wrong password", async (sasl) => {
      await using opened = open({ sasl, password: "not the password" }).engines;
      const asked = opened.ask("kafka", signal);
      await expect(asked).rejects.toThrow(KafkaSecurityError);
      await expect(asked).rejects.toThrow(rejects);
    });

    it("names --kafka-ca if another CA has issued the certificate of the broker", async () => {
      await using opened = open({ ca: other.certificate }).engines;
      const asked = opened.ask("kafka", signal);
      await expect(asked).rejects.toThrow(KafkaSecurityError);
      await expect(asked).rejects.toThrow(untrusted);
    });
  });

  describe("the aggregator", () => {
    const names = () => chainNames({ prefix: `secured-${randomUUID()}-`, database: "none" });
    const clientWith = (given: Given) =>
      createKafka({ brokers: [broker.address], clientId: "test", security: securityOf(given) });

    it.each(mechanisms)("appends ticks and reads offsets with %s", async (sasl) => {
      const kafka = clientWith({ sasl });
      const mesh = names();
      const topic = mesh.topics.messages;
      const security = securityOf({ sasl })!;
      await using created = testTopicOf({ topic, security });
      await created.create();
      await using ticks = await openKafkaTicks({ kafka, topic, partitions: 1 });
      expect(await ticks.appendRound()).toMatchObject({ ticks: [{ partition: 0, offset: 0 }], lost: [] });
      await using offsets = await openKafkaOffsets({ kafka, names: mesh });
      expect(await offsets.messageEnds()).toEqual(new Map([[0, 1]]));
    });

    const testTopicOf = ({ topic, security }: { topic: string; security: KafkaSecurity }) => {
      const made = testTopic({ brokers: [broker.address], topic, partitions: 1, replicas: 1, security });
      return { ...made, [Symbol.asyncDispose]: () => made.remove() };
    };

    it.each([
      ["the wrong password", () => ({ password: "not the password" }), rejects],
      ["another CA", () => ({ ca: other.certificate }), untrusted],
    ])("names the flags with %s", async (_, given, text) => {
      const kafka = clientWith(given());
      const failures = await Promise.allSettled([
        openKafkaTicks({ kafka, topic: "any", partitions: 1 }),
        openKafkaOffsets({ kafka, names: names() }),
      ]);
      for (const failure of failures) {
        expect(failure).toMatchObject({ status: "rejected", reason: { name: "KafkaSecurityError" } });
        expect(failure).toMatchObject({ reason: { message: expect.stringContaining(text) } });
      }
    });

    it("lets Spark read and write topics over TLS with the CA of the setting", async () => {
      const kafkaSecurity = { tls: { ca: authority.certificate } };
      const secured = { ...engines!, kafkaBrokers: [broker.tlsAddress], brokers: 1, kafkaSecurity };
      await using fixture = await createSparkFixture(secured, { partitions: 1, segmentMs: 500 });
      const job = fixture.startJob();
      const random = seededNumbers(6);
      await fixture.append(Array.from({ length: 60 }, () => recordOf(adversarialReading(random, 1))));
      await fixture.untilSealed(job);
      await expectExact(fixture, job, { partialsMin: 20 });
    });
  });
});
