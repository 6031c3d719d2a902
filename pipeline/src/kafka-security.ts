import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Setting } from "@devicemesh/kit/settings/setting-schema";
import { SettingsError } from "@devicemesh/kit/settings/settings-error";
import type { KafkaSasl, KafkaSecurity } from "./kafka-client.ts";
import { KafkaSecurityError } from "./kafka-security-error.ts";

/** How every service connects to protected brokers: the same flag means the same everywhere. */
export const kafkaSecuritySettings = {
  kafkaTls: {
    flag: "--kafka-tls",
    env: "DEVICEMESH_KAFKA_TLS",
    kind: "boolean",
    description: "Connect to Kafka over TLS. Implied by the other TLS flags of Kafka.",
  },
  kafkaCa: {
    flag: "--kafka-ca",
    env: "DEVICEMESH_KAFKA_CA",
    kind: "string",
    placeholder: "FILE",
    description: "CA (PEM) of the certificates of the brokers. The CAs of Node by default.",
  },
  kafkaCert: {
    flag: "--kafka-cert",
    env: "DEVICEMESH_KAFKA_CERT",
    kind: "string",
    placeholder: "FILE",
    description: "Certificate chain (PEM) to present to the brokers. Needs --kafka-key.",
  },
  kafkaKey: {
    flag: "--kafka-key",
    env: "DEVICEMESH_KAFKA_KEY",
    kind: "string",
    placeholder: "FILE",
    description: "Private key (PEM) of that certificate.",
  },
  kafkaSasl: {
    flag: "--kafka-sasl",
    env: "DEVICEMESH_KAFKA_SASL",
    kind: "string",
    choices: ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"],
    description: "SASL mechanism of the brokers. PLAIN and OAUTHBEARER need TLS.",
  },
  kafkaUsername: {
    flag: "--kafka-username",
    env: "DEVICEMESH_KAFKA_USERNAME",
    kind: "string",
    placeholder: "NAME",
    description: "User of PLAIN and SCRAM.",
  },
  kafkaPassword: {
    flag: "--kafka-password",
    env: "DEVICEMESH_KAFKA_PASSWORD",
    kind: "string",
    placeholder: "TEXT",
    description:
      "Password of that user. Set DEVICEMESH_KAFKA_PASSWORD_FILE to keep it out of the process list.",
  },
  kafkaToken: {
    flag: "--kafka-token",
    env: "DEVICEMESH_KAFKA_TOKEN",
    kind: "string",
    placeholder: "FILE",
    description:
      "File with the token of OAUTHBEARER. It is read for each authentication, so it may be replaced.",
  },
} as const satisfies Readonly<Record<string, Setting>>;

/** The values of these settings. */
export type KafkaSecurityConfig = {
  readonly kafkaTls?: boolean | undefined;
  readonly kafkaCa?: string | undefined;
  readonly kafkaCert?: string | undefined;
  readonly kafkaKey?: string | undefined;
  readonly kafkaSasl?: KafkaSasl["mechanism"] | undefined;
  readonly kafkaUsername?: string | undefined;
  readonly kafkaPassword?: string | undefined;
  readonly kafkaToken?: string | undefined;
};

/**
 * Reads the files that the settings name; undefined if they name nothing, for cleartext without authentication.
 * @throws SettingsError if the settings contradict each other or a file cannot be read.
 */
export function kafkaSecurityOf(config: KafkaSecurityConfig): KafkaSecurity | undefined {
  const { kafkaTls, kafkaCa, kafkaCert, kafkaKey } = config;
  if ((kafkaCert === undefined) !== (kafkaKey === undefined)) {
    throw new SettingsError("--kafka-cert and --kafka-key must be set together");
  }
  const isTls = kafkaTls === true || kafkaCa !== undefined || kafkaCert !== undefined;
  const sasl = saslOf(config);
  if (!isTls && (sasl?.mechanism === "PLAIN" || sasl?.mechanism === "OAUTHBEARER")) {
    throw new SettingsError(`--kafka-sasl ${sasl.mechanism} sends a secret in the clear: set --kafka-tls`);
  }
  if (!isTls && sasl === undefined) return undefined;
  const tls = {
    ...(kafkaCa !== undefined && { ca: textOfFile("--kafka-ca", kafkaCa) }),
    ...(kafkaCert !== undefined && { cert: textOfFile("--kafka-cert", kafkaCert) }),
    ...(kafkaKey !== undefined && { key: textOfFile("--kafka-key", kafkaKey) }),
  };
  return { ...(isTls && { tls }), ...(sasl && { sasl }) };
}

function saslOf(config: KafkaSecurityConfig): KafkaSasl | undefined {
  const { kafkaSasl: mechanism, kafkaUsername: username, kafkaPassword: password, kafkaToken } = config;
  if (mechanism === undefined) {
    if (username === undefined && password === undefined && kafkaToken === undefined) return undefined;
    throw new SettingsError("--kafka-username, --kafka-password and --kafka-token need --kafka-sasl");
  }
  if (mechanism === "OAUTHBEARER") {
    if (kafkaToken === undefined) throw new SettingsError("--kafka-sasl OAUTHBEARER needs --kafka-token");
    textOfFile("--kafka-token", kafkaToken);
    return { mechanism, tokenFile: resolve(kafkaToken), token: () => readToken(kafkaToken) };
  }
  if (username === undefined || password === undefined) {
    throw new SettingsError(`--kafka-sasl ${mechanism} needs --kafka-username and --kafka-password`);
  }
  return { mechanism, username, password };
}

/** @throws KafkaSecurityError that names the flag. */
async function readToken(file: string): Promise<string> {
  let token: string;
  try {
    token = (await readFile(file, "utf8")).trim();
  } catch (error) {
    throw new KafkaSecurityError(`--kafka-token ${file}: ${codeOf(error)}`);
  }
  const expiresMs = expiryOf(token);
  // Some brokers close the connection without a reason.
  if (expiresMs !== undefined && expiresMs <= Date.now()) {
    const time = new Date(expiresMs).toISOString();
    throw new KafkaSecurityError(`the token in --kafka-token ${file} expired at ${time}: replace it`);
  }
  return token;
}

/** Returns when a JSON web token expires, in ms since 1970; undefined for another token, or one without a limit. */
function expiryOf(token: string): number | undefined {
  try {
    const claims: unknown = JSON.parse(String(Buffer.from(token.split(".")[1] ?? "", "base64url")));
    const seconds = typeof claims === "object" && claims !== null && "exp" in claims ? claims.exp : undefined;
    return typeof seconds === "number" ? seconds * 1000 : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads the file that a flag names.
 * @throws SettingsError that names both if it cannot be read.
 */
export function textOfFile(flag: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new SettingsError(`${flag} ${file}: ${codeOf(error)}`);
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : "it cannot be read";
}

/**
 * The same for a Kafka client of the JVM, without secrets: it reads the user's password from the login configuration of
 * its JVM (java.security.auth.login.config), and the token from the same file. A client certificate is not passed on.
 */
export function jvmKafkaOptions(security: KafkaSecurity | undefined): Readonly<Record<string, string>> {
  if (security === undefined) return {};
  const { tls, sasl } = security;
  return {
    "security.protocol": `${sasl ? "SASL_" : ""}${tls ? "SSL" : "PLAINTEXT"}`,
    ...(sasl && { "sasl.mechanism": sasl.mechanism }),
    ...(sasl?.mechanism === "OAUTHBEARER" && {
      "sasl.jaas.config": `${jvmBearer}.OAuthBearerLoginModule required;`,
      "sasl.login.callback.handler.class": `${jvmBearer}.OAuthBearerLoginCallbackHandler`,
      "sasl.oauthbearer.token.endpoint.url": pathToFileURL(sasl.tokenFile).href,
    }),
    ...(tls?.ca !== undefined && { "ssl.truststore.type": "PEM", "ssl.truststore.certificates": tls.ca }),
  };
}

const jvmBearer = "org.apache.kafka.common.security.oauthbearer";
