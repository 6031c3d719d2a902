/** The addresses of the services, and properties that a page may show. */
export type WebFacts = {
  /** host:port of ingest. */
  readonly ingest: string;
  /** host:port of query. */
  readonly query: string;
  /** host:port of the generator's control. */
  readonly generator: string;
  /** The location of the data, such as the data folder. */
  readonly data: string;
  /** The kind of that location, in a few words. */
  readonly dataKind: string;
  /** Whether query and ingest serve TLS themselves. */
  readonly secure?: boolean | undefined;
  /** Whether calls need a token. */
  readonly signIn?: boolean | undefined;
  /** Whether `POST /v1/import` accepts recordings. */
  readonly imports?: boolean | undefined;
  /** Whether `POST /v1/sample-year` loads the recording of a year. */
  readonly sampleYear?: boolean | undefined;
};

/** The addresses and flags of commands that work on the machine where the page was opened. */
export type Calls = {
  readonly scheme: "http" | "https";
  /** host:port of query, of ingest and of the generator's control. */
  readonly query: string;
  readonly ingest: string;
  readonly generator: string;
  readonly curlFlags: string;
  readonly queryFlags: string;
  readonly ingestFlags: string;
  readonly generatorFlags: string;
};

/** The headers of a request. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The port at which Envoy accepts readings over TLS, with a device's certificate. */
const devicesPort = 8444;

const authority = "-cacert certs/ca.pem";
const tokenOf = (user: string) => `-H "authorization: Bearer $(cat certs/user-${user}.jwt)"`;
const deviceCertificate = "-cert certs/device-my-thermostat.pem -key certs/device-my-thermostat-key.pem";

/**
 * Returns the calls, to the address at which the page was requested: a browser may use another name than the services
 * know. Behind Envoy, which sets x-forwarded-proto, all calls go to that address. Pure.
 */
export function callsOf(facts: WebFacts, headers: RequestHeaders): Calls {
  const forwarded = headers["x-forwarded-proto"];
  const isBehindEnvoy = forwarded !== undefined;
  const isSecure = isBehindEnvoy ? forwarded === "https" : facts.secure === true;
  const query = addressIn(headers[":authority"] ?? headers.host) ?? facts.query;
  // Services beside query are reached by the same name.
  const beside = (address: string) => (isBehindEnvoy || address === facts.query ? query : address);
  const generator = beside(facts.generator);
  if (!isSecure) {
    const ingest = beside(facts.ingest);
    const plain = "-plaintext";
    const flags = { curlFlags: "", queryFlags: plain, ingestFlags: plain, generatorFlags: plain };
    return { scheme: "http", query, ingest, generator, ...flags };
  }
  return {
    scheme: "https",
    query,
    ingest: isBehindEnvoy ? `${query.replace(/:\d+$/, "")}:${devicesPort}` : beside(facts.ingest),
    generator,
    curlFlags: ` --cacert certs/ca.pem ${tokenOf("reader")}`,
    queryFlags: `${authority} ${tokenOf("reader")}`,
    ingestFlags: `${authority} ${deviceCertificate}`,
    generatorFlags: `${authority} ${tokenOf("operator")}`,
  };
}

/** A host with or without a port; anything else is discarded, because it becomes part of a command. */
function addressIn(host: string | readonly string[] | undefined): string | undefined {
  return typeof host === "string" && /^([a-z0-9.-]+|\[[0-9a-f:]+\])(:\d+)?$/i.test(host) ? host : undefined;
}
