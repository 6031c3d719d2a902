import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { SettingsError } from "@devicemesh/kit/settings/settings-error";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { afterAll, describe, expect, it } from "vitest";
import { kafkaBroker } from "./kafka-client.ts";
import { jvmKafkaOptions, type KafkaSecurityConfig, kafkaSecurityOf } from "./kafka-security.ts";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const fileOf = (name: string, text: string): string => {
  const path = join(folder.path, name);
  writeFileSync(path, text);
  return path;
};
const user = { kafkaUsername: "mesh", kafkaPassword: "secret" };

describe("the security of connections to Kafka", () => {
  it("is none by default", () => {
    expect(kafkaSecurityOf({ kafkaTls: false })).toBeUndefined();
    expect(jvmKafkaOptions(undefined)).toEqual({});
  });

  it("is TLS with the files that are named", () => {
    const files = {
      kafkaCa: fileOf("ca", "the CA"),
      kafkaCert: fileOf("cert", "a certificate"),
      kafkaKey: fileOf("key", "a key"),
    };
    expect(kafkaSecurityOf(files)).toEqual({ tls: { ca: "the CA", cert: "a certificate", key: "a key" } });
    expect(kafkaSecurityOf({ kafkaTls: true })).toEqual({ tls: {} });
  });

  it.each(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const)("is %s with a user", (kafkaSasl) => {
    expect(kafkaSecurityOf({ kafkaTls: true, kafkaSasl, ...user })).toEqual({
      tls: {},
      sasl: { mechanism: kafkaSasl, username: "mesh", password: "secret" },
    });
  });

  it("reads the token of OAUTHBEARER again for each request", async () => {
    const kafkaToken = fileOf("token", "first\n");
    const security = kafkaSecurityOf({ kafkaTls: true, kafkaSasl: "OAUTHBEARER", kafkaToken });
    const sasl = security?.sasl;
    if (sasl?.mechanism !== "OAUTHBEARER") throw new Error("not OAUTHBEARER");
    expect(await sasl.token()).toBe("first");
    fileOf("token", "second");
    expect(await sasl.token()).toBe("second");
  });

  const mistakes: [text: string, config: KafkaSecurityConfig][] = [
    ["--kafka-cert and --kafka-key must be set together", { kafkaCert: "x" }],
    ["--kafka-sasl PLAIN sends a secret in the clear: set --kafka-tls", { kafkaSasl: "PLAIN", ...user }],
    ["need --kafka-sasl", user],
    ["needs --kafka-username and --kafka-password", { kafkaTls: true, kafkaSasl: "SCRAM-SHA-512" }],
    ["needs --kafka-token", { kafkaTls: true, kafkaSasl: "OAUTHBEARER" }],
    ["--kafka-ca /nowhere/ca.pem: ENOENT", { kafkaCa: "/nowhere/ca.pem" }],
  ];
  it.each(mistakes)("is rejected: %s", (text, config) => {
    expect(() => kafkaSecurityOf(config)).toThrow(SettingsError);
    expect(() => kafkaSecurityOf(config)).toThrow(text);
  });

  it("is passed to clients of the JVM without the secrets", () => {
    const security = kafkaSecurityOf({
      kafkaCa: fileOf("ca", "the CA"),
      kafkaSasl: "SCRAM-SHA-512",
      ...user,
    });
    const options = jvmKafkaOptions(security);
    expect(options).toEqual({
      "security.protocol": "SASL_SSL",
      "sasl.mechanism": "SCRAM-SHA-512",
      "ssl.truststore.type": "PEM",
      "ssl.truststore.certificates": "the CA",
    });
    expect(jvmKafkaOptions({ tls: {} })).toEqual({ "security.protocol": "SSL" });
    const scram = { mechanism: "SCRAM-SHA-256", username: "mesh", password: "secret" } as const;
    expect(jvmKafkaOptions({ sasl: scram })).toMatchObject({ "security.protocol": "SASL_PLAINTEXT" });
  });
});

describe("the address of a broker", () => {
  it.each([
    ["kafka-1:9092", "kafka-1", 9092],
    ["127.0.0.1:29092", "127.0.0.1", 29_092],
    ["[::1]:9092", "::1", 9092],
  ])("%s has a host and a port", (address, host, port) => {
    expect(kafkaBroker(address)).toEqual({ host, port });
  });
});
