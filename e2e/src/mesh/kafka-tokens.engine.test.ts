import { randomUUID } from "node:crypto";
import { openKafkaOffsets } from "@devicemesh/aggregator/log/kafka-offsets";
import { openKafkaTicks } from "@devicemesh/aggregator/log/kafka-ticks";
import { type SecuredBroker, startSecuredBroker } from "@devicemesh/engines/testing/secured-broker";
import { testEngines } from "@devicemesh/engines/testing/test-engines";
import {
  createAccessFiles,
  createTestAuthority,
  createTestIssuer,
  type TestIssuer,
} from "@devicemesh/identity/testing/test-credentials";
import { testTopic } from "@devicemesh/ingest/testing/kafka-topic-fixture";
import { startProcess } from "@devicemesh/ingest/testing/process-fixture";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { openEngines } from "@devicemesh/operator/mesh-engines";
import { freshMesh } from "@devicemesh/operator/testing/mesh-fixture";
import { chainNames } from "@devicemesh/pipeline";
import { createKafka } from "@devicemesh/pipeline/kafka-client";
import { kafkaSecurityOf } from "@devicemesh/pipeline/kafka-security";
import { KafkaSecurityError } from "@devicemesh/pipeline/kafka-security-error";
import { HealthCheckResponse_ServingStatus as ServingStatus } from "@devicemesh/proto/tsproto/grpc/health/v1/health.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPublisher, readingOf } from "../../testing/publisher.ts";

const engines = await testEngines();
const rejects = "the brokers reject the credentials: check --kafka-sasl with";
const hourMs = 3_600_000;

describe.skipIf(!engines)("with a broker that accepts signed tokens over TLS, each for a few seconds", () => {
  let issuer: TestIssuer;
  let other: TestIssuer;
  let broker: SecuredBroker;
  const files = createAccessFiles();
  let kafkaCa: string;
  beforeAll(async () => {
    const authority = await createTestAuthority();
    [issuer, other] = await Promise.all([createTestIssuer(), createTestIssuer()]);
    broker = await startSecuredBroker(authority.server, issuer.publicKeys);
    kafkaCa = files.write("ca.pem", authority.certificate);
  });
  afterAll(async () => {
    await broker?.[Symbol.asyncDispose]();
    files[Symbol.dispose]();
  });

  const expired = () => issuer.token({ issuedMs: Date.now() - 2 * hourMs, expiresMs: Date.now() - hourMs });
  const settingsOf = (kafkaToken: string) => ({ kafkaCa, kafkaSasl: "OAUTHBEARER", kafkaToken }) as const;
  const securityWith = (token: string) => kafkaSecurityOf(settingsOf(files.write(randomUUID(), token)))!;
  const wrong: [name: string, token: () => Promise<string>, text: string][] = [
    ["another issuer has signed", () => other.token(), rejects],
    ["has expired", expired, "expired at"],
    ["is not a token", async () => "nonsense", rejects],
  ];

  describe("ingest", () => {
    const start = (token: string, prefix: string) =>
      startProcess(
        ...["--kafka-brokers", broker.address, "--topic-prefix", prefix, "--append-timeout", "10s"],
        ...["--kafka-ca", kafkaCa, "--kafka-sasl", "OAUTHBEARER", "--kafka-token", token],
      );
    type Ingest = Awaited<ReturnType<typeof start>>;
    const untilServing = (ingest: Ingest, serving: ServingStatus = ServingStatus.SERVING) =>
      waitUntil(async () => (await ingest.health()) === serving, { timeoutMs: 60_000, what: "its health" });
    /** The reasons why it waits for Kafka. */
    const reasons = ({ output }: Ingest): string[] =>
      output.stderr
        .split("\n")
        .filter((line) => line.includes(`"kafka"`))
        .map((line) => JSON.parse(line).reason)
        .filter((reason) => reason !== undefined);

    it("stores each reading once while its sessions end, and reads a token that was replaced", async () => {
      const prefix = `tokens-${randomUUID()}-`;
      const topic = chainNames({ prefix }).topics.messages;
      const security = securityWith(await issuer.token());
      const stored = testTopic({ brokers: [broker.address], topic, replicas: 1, security });
      await stored.create();
      const token = files.write("token", await issuer.token());
      await using ingest = await start(token, prefix);
      await untilServing(ingest);
      using publisher = createPublisher(`127.0.0.1:${ingest.port}`);
      let sent = 0;
      const publish = async () => {
        const timestampMs = Date.now() + sent++;
        const reading = readingOf({
          deviceId: `device-${sent % 7}`,
          sensor: "temperature",
          timestampMs,
          value: 1,
        });
        expect(await publisher.publish([reading])).toMatchObject({ accepted: 1n });
      };
      // As long as three sessions.
      for (const endMs = Date.now() + 12_000; Date.now() < endMs; ) await publish();

      files.write("token", await expired());
      await untilServing(ingest, ServingStatus.NOT_SERVING);
      await waitUntil(() => reasons(ingest).length > 0);
      expect(reasons(ingest)[0]).toContain(`the token in --kafka-token ${token} expired at`);

      files.write("token", await issuer.token());
      await untilServing(ingest);
      await publish();
      expect(await stored.readAll({ duplicates: true })).toHaveLength(sent);
      await stored.remove();
    });

    it.each(wrong)("names the flag if its token %s", async (_, token, text) => {
      await using ingest = await start(files.write(randomUUID(), await token()), "none-");
      await waitUntil(() => reasons(ingest).length > 0, { timeoutMs: 60_000, what: "the reason" });
      expect(reasons(ingest)[0]).toContain(text);
      expect(reasons(ingest)[0]).toContain("--kafka-token");
      expect(await ingest.health()).toBe(ServingStatus.NOT_SERVING);
      expect(ingest.output.stderr).not.toContain(await token());
    });
  });

  describe("the operator", () => {
    const signal = AbortSignal.timeout(240_000);
    const open = (token: string) => {
      const mesh = { ...freshMesh({ ...engines!, brokers: 1 }), kafkaBrokers: [broker.address] };
      return openEngines({ ...mesh, kafkaSecurity: securityWith(token) }, mesh.database);
    };

    it("reads the cluster and the disks of its brokers", async () => {
      await using opened = open(await issuer.token());
      await opened.ask("kafka", signal);
      expect((await opened.readBrokerDisks(signal)).map(({ name }) => name)).toEqual(["of broker 1"]);
    });

    it.each(wrong)("names the flag if its token %s", async (_, token, text) => {
      await using opened = open(await token());
      const asked = opened.ask("kafka", signal);
      await expect(asked).rejects.toThrow(KafkaSecurityError);
      await expect(asked).rejects.toThrow(text);
    });
  });

  describe("the aggregator", () => {
    const clientWith = (token: string) =>
      createKafka({ brokers: [broker.address], clientId: "test", security: securityWith(token) });

    it("appends ticks and reads offsets", async () => {
      const names = chainNames({ prefix: `tokens-${randomUUID()}-`, database: "none" });
      const topic = names.topics.messages;
      const security = securityWith(await issuer.token());
      const created = testTopic({ brokers: [broker.address], topic, partitions: 1, replicas: 1, security });
      await created.create();
      const kafka = clientWith(await issuer.token());
      await using ticks = await openKafkaTicks({ kafka, topic, partitions: 1 });
      expect(await ticks.appendRound()).toMatchObject({ ticks: [{ partition: 0, offset: 0 }], lost: [] });
      await using offsets = await openKafkaOffsets({ kafka, names });
      expect(await offsets.messageEnds()).toEqual(new Map([[0, 1]]));
      await created.remove();
    });

    it.each(wrong)("names the flag if its token %s", async (_, token, text) => {
      const opened = openKafkaTicks({ kafka: clientWith(await token()), topic: "any", partitions: 1 });
      await expect(opened).rejects.toThrow(KafkaSecurityError);
      await expect(opened).rejects.toThrow(text);
    });
  });
});
