import type { Embedded } from "./compose.ts";
import type { EmbeddedConfig } from "./config.ts";

/** What `npm start` prints when it runs: where everything is, and calls to paste. */
export function banner(
  config: Pick<EmbeddedConfig, "devices" | "noGenerator">,
  mesh: Pick<Embedded, "ingest" | "query" | "folder">,
): string {
  const { ingest, query } = mesh;
  const devices = config.noGenerator
    ? "none playing (--no-generator)"
    : `${config.devices} playing, one reading a second each`;
  return `Device Mesh is running; Ctrl-C ends it.
  ingest   ${ingest}  gRPC
  query    http://${query}/  Connect, gRPC, gRPC-Web; generator control; a page
  data     ${mesh.folder}
  devices  ${devices}

${callsToPaste(mesh)}`;
}

/** Calls that ask and send, ready to paste into a shell. */
export function callsToPaste({ ingest, query }: { readonly ingest: string; readonly query: string }): string {
  return `Ask:
  grpcurl -plaintext -d '{"group_by":"GROUP_BY_SENSOR"}' ${query} devicemesh.v1.QueryService/GetAggregates
  curl -H 'content-type: application/json' -d '{}' http://${query}/devicemesh.v1.QueryService/GetAggregates
Send:
  grpcurl -plaintext -d '{"readings":[{"device_id":"my-thermostat","timestamp":"${new Date().toISOString()}","thermostat":{"temperature":21.5}}]}' ${ingest} devicemesh.v1.IngestService/PublishReadingBatch
`;
}
