import { withoutCredentials } from "@devicemesh/kit/observability/redact-credentials";
import { type CallerFlags, callsToPaste, devicesText } from "@devicemesh/standalone/banner";
import type { MeshConfig } from "./settings.ts";
import type { Mesh } from "./start.ts";

/** Returns the output of `npm run mesh` when it is running: all addresses, and calls to paste. */
export function banner(config: Pick<MeshConfig, "devices" | "noGenerator" | "replay">, mesh: Mesh): string {
  const { addresses, folder } = mesh;
  const { lines, askAt, sendTo, caller } = frontDoorOf(mesh);
  return `
Device Mesh is running on the real engines; Ctrl-C ends it.
${lines.map(([name, text]) => `  ${name.padEnd(9)}  ${text}\n`).join("")}  kafka      ${addresses.kafkaBrokers.join(", ")}
  connect    ${addresses.connectUrl}
  mongodb    ${withoutCredentials(addresses.mongodbUrl)}
  spark      ${addresses.sparkUrl}
  data       ${folder}  (logs in ${folder}/logs and ${folder}/engines/logs)
  devices    ${devicesText(config)}

${callsToPaste({ ingest: sendTo, query: askAt, identity: caller })}Status:
  npm run mesh -- status
  grpcurl ${caller.askGrpcurl} -d '{}' ${askAt} devicemesh.v1.QueryService/GetPipelineStatus
  grpcurl ${caller.askGrpcurl} ${askAt} list
`;
}

/** The addresses for callers, and their credentials. */
type FrontDoor = {
  /** Lines of the banner: a name, and its address. */
  readonly lines: readonly (readonly [string, string])[];
  /** host:port for queries, and for readings. */
  readonly askAt: string;
  readonly sendTo: string;
  readonly caller: CallerFlags;
};

function frontDoorOf({ services, identity }: Pick<Mesh, "services" | "identity">): FrontDoor {
  const { address } = services.get("envoy");
  const { publicAddress: askAt, devicesAddress: sendTo } = services.frontDoor ?? {};
  if (!identity || askAt === undefined || sendTo === undefined) {
    return {
      lines: [
        [
          "address",
          `http://${address}/  everything: readings, questions, generator control, a page; Connect, gRPC, gRPC-Web`,
        ],
      ],
      askAt: address,
      sendTo: address,
      caller: {
        scheme: "http",
        askGrpcurl: "-plaintext",
        askCurl: "",
        sendGrpcurl: "-plaintext",
      },
    };
  }
  const { folder, authority } = identity.credentials;
  const token = `-H "authorization: Bearer $(cat ${folder}/user-reader.jwt)"`;
  const device = `${folder}/device-my-thermostat`;
  return {
    lines: [
      ["users", `https://${askAt}/  queries, generator control, a page: TLS and a token`],
      ["senders", `${sendTo}  readings: TLS and a device's or gateway's certificate`],
      [
        "address",
        `http://${address}/  this machine only, without authentication: health, reflection, a page`,
      ],
    ],
    askAt,
    sendTo,
    caller: {
      scheme: "https",
      askGrpcurl: `-cacert ${authority} ${token}`,
      askCurl: `--cacert ${authority} ${token} `,
      sendGrpcurl: `-cacert ${authority} -cert ${device}.pem -key ${device}-key.pem`,
    },
  };
}
