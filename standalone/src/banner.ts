import { devicesAtStart, type EmbeddedConfig } from "./settings.ts";
import type { Embedded } from "./start.ts";

type BannerConfig = Pick<
  EmbeddedConfig,
  "devices" | "noGenerator" | "replay" | "serverCertificate" | "deviceCa" | "jwks" | "generatorCa"
>;

/** Returns the output of `npm start` when it is running: the URL to open, the other addresses, and calls to paste. */
export function banner(
  config: BannerConfig,
  mesh: Pick<Embedded, "ingest" | "query" | "mqtt" | "isOneAddress" | "folder" | "found">,
  backfilled = 0,
): string {
  const { ingest, query, isOneAddress } = mesh;
  const url = dashboardAddress(config, mesh);
  const served = isOneAddress
    ? "readings, queries and generator control over gRPC, gRPC-Web, Connect and HTTP"
    : "queries and generator control over gRPC, gRPC-Web, Connect and HTTP";
  return `open ${url}

Device Mesh is running; Ctrl-C ends it.
  address  ${url}  ${served}${config.jwks === undefined ? "" : "; needs a token"}
  ingest   ${ingest}  ${ingestText(isOneAddress, config)}
${mqttLine(config, mesh)}  data     ${mesh.folder}  (${foundText(mesh.found)})
  devices  ${devicesText(config)}${backfilledText(backfilled)}

${callsToPaste({ query, ingest: isOneAddress ? query : ingest, identity: identityOf(config) })}`;
}

function mqttLine({ serverCertificate }: BannerConfig, { mqtt }: Pick<Embedded, "mqtt">): string {
  const tls = serverCertificate === undefined ? "" : " with TLS";
  return mqtt === undefined ? "" : `  mqtt     ${mqtt}  readings over MQTT 3.1.1 and 5${tls}\n`;
}

function ingestText(isOneAddress: boolean, { serverCertificate, deviceCa }: BannerConfig): string {
  const protocol = serverCertificate === undefined ? "gRPC" : "gRPC over TLS";
  if (isOneAddress) return `the fast lane for large streams of readings; ${protocol} only`;
  return deviceCa === undefined
    ? `readings; ${protocol} only`
    : `readings of the devices that a client certificate names; ${protocol} only`;
}

/** Returns the URL of the dashboard. */
export function dashboardAddress(
  { serverCertificate }: Pick<BannerConfig, "serverCertificate">,
  { query }: Pick<Embedded, "query">,
): string {
  return `${serverCertificate === undefined ? "http" : "https"}://${query}/`;
}

function backfilledText(readings: number): string {
  return readings === 0
    ? ""
    : `; their last 24 hours were sent first: ${readings.toLocaleString("en-US")} readings (--no-backfill)`;
}

function foundText({ storedReadings, series, logEndMs }: Embedded["found"]): string {
  if (storedReadings === 0 && series === 0) return "empty";
  const last = logEndMs === undefined ? "" : `, the last of them stored ${new Date(logEndMs).toISOString()}`;
  return `holds ${storedReadings.toLocaleString("en-US")} readings of ${series.toLocaleString("en-US")} series${last}`;
}

/** Describes the simulation. */
export function devicesText(config: Pick<EmbeddedConfig, "devices" | "noGenerator" | "replay">): string {
  const devices = devicesAtStart(config);
  if (devices > 0) return `${devices} simulated, one reading a second each`;
  return config.noGenerator
    ? "none simulated (--no-generator)"
    : "none simulated beside --replay; --devices N adds some";
}

/** The caller's credentials, as flags of grpcurl and curl. */
export type CallerFlags = {
  readonly scheme: "http" | "https";
  readonly askGrpcurl: string;
  readonly askCurl: string;
  readonly sendGrpcurl: string;
};

const anonymous: CallerFlags = {
  scheme: "http",
  askGrpcurl: "-plaintext",
  askCurl: "",
  sendGrpcurl: "-plaintext",
};

/** Calls that query and send, ready to paste into a shell. */
export function callsToPaste({
  ingest,
  query,
  identity = anonymous,
}: {
  readonly ingest: string;
  readonly query: string;
  readonly identity?: CallerFlags;
}): string {
  const { scheme, askGrpcurl, askCurl, sendGrpcurl } = identity;
  return `Ask:
  grpcurl ${askGrpcurl} -d '{"group_by":"GROUP_BY_SENSOR"}' ${query} devicemesh.v1.QueryService/GetAggregates
  curl ${askCurl}-H 'content-type: application/json' -d '{}' ${scheme}://${query}/devicemesh.v1.QueryService/GetAggregates
Send:
  grpcurl ${sendGrpcurl} -d '{"readings":[{"device_id":"my-thermostat","timestamp":"${new Date().toISOString()}","thermostat":{"temperature":21.5}}]}' ${ingest} devicemesh.v1.IngestService/PublishReadingBatch
`;
}

/** The flags, with `$TOKEN`, `$CERT` and `$KEY` for the caller's credentials: `npm run certs` makes all three. */
function identityOf({ serverCertificate, deviceCa, jwks, generatorCa }: BannerConfig): CallerFlags {
  const ca = generatorCa ?? deviceCa ?? serverCertificate;
  const token = jwks === undefined ? "" : '-H "authorization: Bearer $TOKEN"';
  const secure = serverCertificate === undefined ? "-plaintext" : `-cacert ${ca}`;
  return {
    scheme: serverCertificate === undefined ? "http" : "https",
    askGrpcurl: [secure, token].filter((flag) => flag !== "").join(" "),
    askCurl: `${serverCertificate === undefined ? "" : `--cacert ${ca} `}${token === "" ? "" : `${token} `}`,
    sendGrpcurl: deviceCa === undefined ? secure : `${secure} -cert "$CERT" -key "$KEY"`,
  };
}
