/**
 * The brokers cannot be used with the settings of TLS or SASL; a retry helps only after a setting or the brokers have
 * changed. The message names the setting. It has no cause, so that it is what logs and health report.
 */
export class KafkaSecurityError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "KafkaSecurityError";
  }
}

/**
 * Codes of Node for a certificate that no trusted CA has issued; which one depends on how much of the chain the broker
 * sends.
 */
const untrustedCodes: ReadonlySet<unknown> = new Set([
  "CERT_UNTRUSTED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

const otherCertificateCodes: ReadonlySet<unknown> = new Set([
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);

/**
 * Returns an error of a Kafka client, of kafkajs or @platformatic/kafka, with a name and a message for users if the
 * brokers reject the credentials or their certificate is not trusted. Returns any other error unchanged.
 */
export function namedKafkaError(error: unknown): unknown {
  const errors = chainOf(error);
  const named = errors.find((one) => one instanceof KafkaSecurityError);
  if (named) return named;
  const detail = errors.at(-1)?.message;
  const has = (codes: ReadonlySet<unknown>): boolean => errors.some(({ code }) => codes.has(code));
  if (has(untrustedCodes)) {
    return new KafkaSecurityError(
      `the certificate of the broker is not trusted: set --kafka-ca to the CA of the brokers (${detail})`,
    );
  }
  if (has(otherCertificateCodes)) {
    return new KafkaSecurityError(`the certificate of the broker is not valid: ${detail}`);
  }
  if (errors.some(isMechanismMissing)) {
    return new KafkaSecurityError(`the brokers do not offer the mechanism of --kafka-sasl (${detail})`);
  }
  if (errors.some(isAuthentication)) return rejectedCredentials(detail);
  return error;
}

/** Returns the error for credentials that the brokers reject. `detail` is what the broker or the client reports. */
export function rejectedCredentials(detail: string | undefined): KafkaSecurityError {
  return new KafkaSecurityError(
    `the brokers reject the credentials: check --kafka-sasl with --kafka-username and --kafka-password, or --kafka-token (${detail})`,
  );
}

type ClientError = Error & { readonly code?: unknown; readonly apiId?: unknown; readonly type?: unknown };

/** The error and its causes, the outermost first. */
function chainOf(error: unknown): ClientError[] {
  const chain: ClientError[] = [];
  for (let one = error; one instanceof Error && !chain.includes(one); one = causeOf(one)) chain.push(one);
  return chain;
}

function causeOf(error: Error): unknown {
  return error.cause ?? (error instanceof AggregateError ? error.errors[0] : undefined);
}

function isAuthentication({ name, code }: ClientError): boolean {
  return name === "KafkaJSSASLAuthenticationError" || code === "PLT_KFK_AUTHENTICATION";
}

/** kafkajs has the name of the broker's error in `type`, @platformatic/kafka in `apiId`. */
function isMechanismMissing({ type, apiId }: ClientError): boolean {
  return [type, apiId].includes("UNSUPPORTED_SASL_MECHANISM");
}
