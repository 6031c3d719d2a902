import { callsToPaste } from "@devicemesh/embedded/banner";
import type { Mesh } from "./compose.ts";
import type { MeshConfig } from "./config.ts";

/** What `npm run mesh` prints when it runs: where everything is, and calls to paste. */
export function banner(config: Pick<MeshConfig, "devices" | "noGenerator">, mesh: Mesh): string {
  const { services, addresses, folder } = mesh;
  const { address } = services.get("envoy");
  const devices = config.noGenerator
    ? "none playing (--no-generator)"
    : `${config.devices} playing, one reading a second each`;
  return `
Device Mesh is running on the real engines; Ctrl-C ends it.
  address    http://${address}/  everything: readings, questions, generator control, a page; Connect, gRPC, gRPC-Web
  kafka      ${addresses.kafkaBrokers.join(", ")}
  connect    ${addresses.connectUrl}
  mongodb    ${addresses.mongodbUrl}
  spark      ${addresses.sparkUrl}
  data       ${folder}  (logs in ${folder}/logs and ${folder}/engines/logs)
  devices    ${devices}

${callsToPaste({ ingest: address, query: address })}Look:
  npm run mesh -- status
  grpcurl -plaintext -d '{}' ${address} devicemesh.v1.QueryService/GetPipelineStatus
  grpcurl -plaintext ${address} list
`;
}
