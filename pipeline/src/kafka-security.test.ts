import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SettingsError } from "@devicemesh/kit/settings/settings-error";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { afterAll, describe, expect, it } from "vitest";
import { kafkaBroker } from "./kafka-client.ts";
import { jvmKafkaOptions, type KafkaSecurityConfig, kafkaSecurityOf } from "./kafka-security.ts";
import { KafkaSecurityError } from "./kafka-security-error.ts";

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

  function bearerOf(kafkaToken: string) {
    const sasl = kafkaSecurityOf({ kafkaTls: true, kafkaSasl: "OAUTHBEARER", kafkaToken })?.sasl;
    if (sasl?.mechanism !== "OAUTHBEARER") throw new Error("not OAUTHBEARER");
    return sasl;
  }
  const jwtOf = (claims: object): string =>
    ["head", JSON.stringify(claims), "sign"].map((part) => Buffer.from(part).toString("base64url")).join(".");
  const nowSeconds = Math.floor(Date.now() / 1000);

  it("reads the token of OAUTHBEARER again for each authentication", async () => {
    const sasl = bearerOf(fileOf("token", "first\n"));
    expect(await sasl.token()).toBe("first");
    fileOf("token", "second");
    expect(await sasl.token()).toBe("second");
  });

  it.each([
    ["a token that does not expire", jwtOf({ sub: "mesh" })],
    ["a token that expires later", jwtOf({ exp: nowSeconds + 3600 })],
    ["a token of another kind", "not.a token.of JSON"],
  ])("accepts %s", async (_, token) => {
    expect(await bearerOf(fileOf("token", token)).token()).toBe(token);
  });

  it("names the flag if the token has expired or its file is gone", async () => {
    const file = fileOf("token", jwtOf({ exp: nowSeconds - 1 }));
    const sasl = bearerOf(file);
    const time = new Date((nowSeconds - 1) * 1000).toISOString();
    const expired = new KafkaSecurityError(
      `the token in --kafka-token ${file} expired at ${time}: replace it`,
    );
    await expect(sasl.token()).rejects.toEqual(expired);
    rmSync(file);
    await expect(sasl.token()).rejects.toEqual(new KafkaSecurityError(`--kafka-token ${file}: ENOENT`));
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

  it("is passed to clients of the JVM with the file of the token, not its text", () => {
    const options = jvmKafkaOptions({ tls: {}, sasl: bearerOf(fileOf("a token", "secret")) });
    expect(options).toMatchObject({ "security.protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER" });
    expect(options["sasl.oauthbearer.token.endpoint.url"]).toBe(`file://${folder.path}/a%20token`);
    expect(JSON.stringify(options)).not.toContain("secret");
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
