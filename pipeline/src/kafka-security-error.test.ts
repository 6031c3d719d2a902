import { describe, expect, it } from "vitest";
import { KafkaSecurityError, namedKafkaError } from "./kafka-security-error.ts";

/** An error as a client makes it. */
const failure = (message: string, fields: object = {}, cause?: Error): Error =>
  Object.assign(new Error(message, { cause }), fields);

describe("an error of a Kafka client", () => {
  it.each([
    [
      "kafkajs, the wrong password",
      failure("SASL PLAIN authentication failed: bad", { name: "KafkaJSSASLAuthenticationError" }),
      "the brokers reject the credentials: check --kafka-sasl",
    ],
    [
      "@platformatic/kafka, the wrong password",
      failure("Connection failed.", {}, failure("SASL failed", { code: "PLT_KFK_AUTHENTICATION" })),
      "the brokers reject the credentials: check --kafka-sasl",
    ],
    [
      "kafkajs, another mechanism",
      failure("exceeded", {}, failure("not supported", { type: "UNSUPPORTED_SASL_MECHANISM" })),
      "the brokers do not offer the mechanism of --kafka-sasl (not supported)",
    ],
    [
      "@platformatic/kafka, another mechanism",
      failure(
        "no mechanism",
        { code: "PLT_KFK_AUTHENTICATION" },
        new AggregateError([failure("not supported", { apiId: "UNSUPPORTED_SASL_MECHANISM" })], "response"),
      ),
      "the brokers do not offer the mechanism of --kafka-sasl (not supported)",
    ],
    [
      "another CA",
      failure("Connection failed.", {}, failure("self-signed", { code: "SELF_SIGNED_CERT_IN_CHAIN" })),
      "the certificate of the broker is not trusted: set --kafka-ca to the CA of the brokers (self-signed)",
    ],
    [
      "another host",
      failure("IP is not in the list", { code: "ERR_TLS_CERT_ALTNAME_INVALID" }),
      "the certificate of the broker is not valid: IP is not in the list",
    ],
  ])("is named: %s", (_, error, text) => {
    const named = namedKafkaError(error);
    expect(named).toBeInstanceOf(KafkaSecurityError);
    expect((named as Error).message).toContain(text);
  });

  it("is the named one if a client wraps it", () => {
    const named = new KafkaSecurityError("the token in --kafka-token FILE expired");
    expect(namedKafkaError(failure("Connection failed.", { code: "PLT_KFK_AUTHENTICATION" }, named))).toBe(
      named,
    );
  });

  it("is unchanged if it has another cause", () => {
    const error = failure("Connection failed.", {}, failure("refused", { code: "ECONNREFUSED" }));
    expect(namedKafkaError(error)).toBe(error);
    expect(namedKafkaError("text")).toBe("text");
    const circle = failure("a");
    circle.cause = circle;
    expect(namedKafkaError(circle)).toBe(circle);
  });
});
