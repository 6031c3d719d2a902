import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createSparkFixture, expectExact } from "@devicemesh/aggregator/testing/spark-fixture";
import {
  adversarialReading,
  recordOf,
  seededNumbers,
} from "@devicemesh/aggregator/testing/spark-readings-fixture";
import { startEngines } from "@devicemesh/engines";
import { type SecuredBroker, startSecuredBroker } from "@devicemesh/engines/testing/secured-broker";
import { startSecuredConnect } from "@devicemesh/engines/testing/secured-connect";
import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { createTestAuthority, createTestIssuer } from "@devicemesh/identity/testing/test-credentials";
import { temporaryFolder, waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { readGroupProgress } from "@devicemesh/operator/maintenance/kafka-progress";
import { freshMesh, goodRecord, openMeshFixture } from "@devicemesh/operator/testing/mesh-fixture";
import { collections } from "@devicemesh/pipeline";
import type { KafkaSecurity } from "@devicemesh/pipeline/kafka-client";
import { jvmKafkaOptions, kafkaSecurityOf } from "@devicemesh/pipeline/kafka-security";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const engines = await testEngines();

describe.skipIf(!engines)("the JVM's clients of a broker that accepts them over TLS with SASL", () => {
  let broker: SecuredBroker;
  let scram: KafkaSecurity;
  let token: KafkaSecurity;
  let tokenFile: string;
  const folder = temporaryFolder();
  beforeAll(async () => {
    const authority = await createTestAuthority();
    const issuer = await createTestIssuer();
    broker = await startSecuredBroker(authority.server, issuer.publicKeys);
    const kafkaCa = join(folder.path, "ca.pem");
    writeFileSync(kafkaCa, authority.certificate);
    tokenFile = join(folder.path, "token");
    writeFileSync(tokenFile, await issuer.token());
    const user = { kafkaUsername: broker.username, kafkaPassword: broker.password };
    scram = kafkaSecurityOf({ kafkaCa, kafkaSasl: "SCRAM-SHA-512", ...user })!;
    token = kafkaSecurityOf({ kafkaCa, kafkaSasl: "OAUTHBEARER", kafkaToken: tokenFile })!;
  });
  afterAll(async () => {
    await broker?.[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  it("Spark reads and writes topics, with a password from its login configuration and with a token", async () => {
    const loginFile = join(folder.path, "login.conf");
    writeFileSync(loginFile, `KafkaClient { ${broker.scramLogin} };\n`);
    const sparkFolder = join(folder.path, "spark");
    process.env.JDK_JAVA_OPTIONS = [
      `-Djava.security.auth.login.config=${loginFile}`,
      `-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${pathToFileURL(tokenFile).href}`,
    ].join(" ");
    const starting = startEngines({ folder: sparkFolder, parts: ["spark"] });
    await using spark = await starting.finally(() => delete process.env.JDK_JAVA_OPTIONS);
    const { sparkUrl } = spark.addresses;
    if (sparkUrl === undefined) throw new Error("Spark has no address");
    for (const kafkaSecurity of [scram, token]) {
      await using fixture = await createSparkFixture(
        { kafkaBrokers: [broker.address], brokers: 1, sparkUrl, folder: sparkFolder, kafkaSecurity },
        { partitions: 1, segmentMs: 500 },
      );
      const job = fixture.startJob();
      const random = seededNumbers(6);
      await fixture.append(Array.from({ length: 60 }, () => recordOf(adversarialReading(random, 1))));
      await fixture.untilSealed(job, { timeoutMs: 240_000 });
      await expectExact(fixture, job, { partialsMin: 20 });
    }
  });

  it("the sinks of Kafka Connect store messages, and append dead letters", async () => {
    await using connect = await startSecuredConnect({
      brokers: [broker.address],
      security: { ...jvmKafkaOptions(scram), "sasl.jaas.config": broker.scramLogin },
    });
    const addresses = {
      kafkaBrokers: [broker.address],
      brokers: 1,
      connectUrl: connect.connectUrl,
      mongodbUrl: engines!.mongodbUrl,
    };
    await using mesh = await openMeshFixture(freshMesh(addresses, { kafkaSecurity: scram }));
    const { messages, messageDeadLetters } = mesh.names.topics;
    await mesh.append(messages, [goodRecord("a", 1), goodRecord("a", 2), goodRecord("a", 1, 7)]);
    await mesh.sunk("messages");
    const stored = await mesh.engines.db.collection(collections.messages).find().toArray();
    expect(stored.map(({ value }) => value).toSorted()).toEqual([21, 22]);
    const dead = () => readGroupProgress(mesh.engines.withAdmin, "unknown", messageDeadLetters);
    await waitUntil(async () => (await dead()).lag === 1, { timeoutMs: 60_000, what: "one dead letter" });
  });
});
