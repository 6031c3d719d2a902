import { callsToPaste } from "@devicemesh/embedded/banner";
import { withoutCredentials } from "@devicemesh/kit/credentials";
import type { Mesh } from "./compose.ts";
import type { MeshConfig } from "./config.ts";

/** What `npm run mesh` prints when it runs: where everything is, and calls to paste. */
export function banner(config: Pick<MeshConfig, "devices" | "noGenerator">, mesh: Mesh): string {
  const { services, addresses, folder } = mesh;
  const [ingest, query, generator] = (["ingest", "query", "generator"] as const).map(
    (name) => services.get(name).address,
  ) as [string, string, string];
  const devices = config.noGenerator
    ? "none playing (--no-generator)"
    : `${config.devices} playing, one reading a second each`;
  return `
Device Mesh is running on the real engines; Ctrl-C ends it.
  ingest     ${ingest}  gRPC
  query      http://${query}/  Connect, gRPC, gRPC-Web; a page
  generator  ${generator}  generator control
  kafka      ${addresses.kafkaBrokers.join(", ")}
  connect    ${addresses.connectUrl}
  mongodb    ${withoutCredentials(addresses.mongodbUrl)}
  spark      ${addresses.sparkUrl}
  data       ${folder}  (logs in ${folder}/logs and ${folder}/engines/logs)
  devices    ${devices}

${callsToPaste({ ingest, query })}Look:
  npm run mesh -- status
  grpcurl -plaintext -d '{}' ${query} devicemesh.v1.QueryService/GetPipelineStatus
`;
}
