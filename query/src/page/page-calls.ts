import type { PageFacts } from "./page.ts";

/** What of a request for the page matters here. */
export type PageRequest = {
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>> | undefined;
};

/** What the calls on the page say, so that they work where it was asked for. */
export type PageCalls = {
  readonly scheme: "http" | "https";
  /** host:port for questions, for readings and for the generator's control. */
  readonly askAt: string;
  readonly sendTo: string;
  readonly playAt: string;
  readonly curlFlags: string;
  readonly askFlags: string;
  readonly sendFlags: string;
  readonly playFlags: string;
};

/** Where Envoy takes readings over TLS, with a device's certificate. */
const devicesPort = 8444;

const authority = "-cacert certs/ca.pem";
const shownBy = (user: string) => `-H "authorization: Bearer $(cat certs/user-${user}.jwt)"`;
const shownByDevice = "-cert certs/device-my-thermostat.pem -key certs/device-my-thermostat-key.pem";

/**
 * The calls: to the address that the page was asked at, for a browser may know another than the services
 * do. Behind a front door, which says so by x-forwarded-proto, that one takes all of them. Pure.
 */
export function callsOf(facts: PageFacts, { headers = {} }: PageRequest): PageCalls {
  const forwarded = headers["x-forwarded-proto"];
  const isFrontDoor = forwarded !== undefined;
  const isSecure = isFrontDoor ? forwarded === "https" : facts.secure === true;
  const askAt = addressIn(headers[":authority"] ?? headers.host) ?? facts.query;
  const playAt = isFrontDoor || facts.generator === facts.query ? askAt : facts.generator;
  if (!isSecure) {
    const sendTo = isFrontDoor ? askAt : facts.ingest;
    const flags = { curlFlags: "", askFlags: "-plaintext", sendFlags: "-plaintext", playFlags: "-plaintext" };
    return { scheme: "http", askAt, sendTo, playAt, ...flags };
  }
  return {
    scheme: "https",
    askAt,
    sendTo: isFrontDoor ? `${askAt.replace(/:\d+$/, "")}:${devicesPort}` : facts.ingest,
    playAt,
    curlFlags: ` --cacert certs/ca.pem ${shownBy("reader")}`,
    askFlags: `${authority} ${shownBy("reader")}`,
    sendFlags: `${authority} ${shownByDevice}`,
    playFlags: `${authority} ${shownBy("operator")}`,
  };
}

/** A host with a port or without one; anything else is none, since it is shown in commands. */
function addressIn(host: string | readonly string[] | undefined): string | undefined {
  return typeof host === "string" && /^([a-z0-9.-]+|\[[0-9a-f:]+\])(:\d+)?$/i.test(host) ? host : undefined;
}
