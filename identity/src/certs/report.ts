import { join } from "node:path";
import { authorityFiles, planCertificates, planDeviceTokens, planUsers } from "./credential-plan.ts";
import type { Credential } from "./make-credentials.ts";
import type { CertsConfig } from "./settings.ts";

/**
 * Returns the output of `npm run certs`: the credentials and their expiry, how to use them, how to revoke them. Pure.
 */
export function certsReport(
  config: CertsConfig,
  credentials: readonly Credential[],
  { folder, nowMs }: { readonly folder: string; readonly nowMs: number },
): string {
  const file = (name: string): string => quoted(join(folder, name));
  const rows = credentials.map(({ what, files, made, expiresMs, denyLine }) => [
    made ? "made" : "kept",
    what,
    expiresMs === undefined ? "does not expire" : `until ${new Date(expiresMs).toISOString().slice(0, 16)}Z`,
    files.join(" "),
    denyLine === "" ? "" : `revoke: ${denyLine}`,
  ]);
  return `Credentials for development in ${folder}
${table(rows)}

Run with identity:
  ${startLine(config, { file, folder })}
Ask (a user's token):
${askLines(file)}
Send (a device's certificate):
${sendLines(config, file, nowMs)}
Revoke: add the line after "revoke:" to ${file(authorityFiles.denyList)}; no restart is needed.
`;
}

type FileName = (name: string) => string;

function startLine(
  config: CertsConfig,
  { file, folder }: { readonly file: FileName; readonly folder: string },
): string {
  const gateway = planCertificates(config).find(({ kind }) => kind === "gateway");
  const own = [
    config.tokenIssuer === "devicemesh" ? "" : `--token-issuer ${quoted(config.tokenIssuer)}`,
    config.tokenAudience === "devicemesh" ? "" : `--token-audience ${quoted(config.tokenAudience)}`,
    config.trustDomain === "devicemesh" ? "" : `--trust-domain ${quoted(config.trustDomain)}`,
  ];
  const generator =
    gateway === undefined
      ? "--no-generator"
      : `--generator-cert ${file(gateway.certificateFile)} --generator-key ${file(gateway.keyFile)} --generator-prefix ${quoted(`${gateway.name}-`)}`;
  const isAsDefault = own.every((flag) => flag === "");
  const onTheEngines =
    isAsDefault && gateway !== undefined
      ? `\n  npm run mesh -- --certs ${quoted(folder)}   (users on port 8443, devices on port 8444)`
      : "";
  return `${[
    `npm start -- --jwks ${file(authorityFiles.publicKeys)} --deny-list ${file(authorityFiles.denyList)}`,
    `--server-cert ${file("server.pem")} --server-key ${file("server-key.pem")} --device-ca ${file(authorityFiles.certificate)}`,
    generator,
    ...own,
  ]
    .filter((part) => part !== "")
    .join(" ")}${onTheEngines}`;
}

function askLines(file: FileName): string {
  return planUsers
    .map(({ name, tokenFile }) => {
      const rpc =
        name === "reader"
          ? "devicemesh.v1.QueryService/ListSeries"
          : "devicemesh.v1.GeneratorService/StopGenerator";
      return `  grpcurl -cacert ${file(authorityFiles.certificate)} -H "authorization: Bearer $(cat ${file(tokenFile)})" -d '{}' 127.0.0.1:8080 ${rpc}`;
    })
    .join("\n");
}

function sendLines(config: CertsConfig, file: FileName, nowMs: number): string {
  const lines = planCertificates(config).flatMap(({ kind, name, certificateFile, keyFile }) => {
    if (kind === "server") return [];
    const id = kind === "device" ? name : `${name}-thermostat`;
    const reading = {
      device_id: id,
      timestamp: new Date(nowMs).toISOString(),
      thermostat: { temperature: 21.5 },
    };
    return [
      `  grpcurl -cacert ${file(authorityFiles.certificate)} -cert ${file(certificateFile)} -key ${file(keyFile)} -d '${JSON.stringify({ readings: [reading] })}' 127.0.0.1:50051 devicemesh.v1.IngestService/PublishReadingBatch`,
    ];
  });
  const tokens = planDeviceTokens(config).map(({ devices = [], tokenFile }) => {
    const id = (devices[0] ?? "").replace(/[-._:]?\*$/, "") || "my-device";
    const document = JSON.stringify({ device_id: id, temperature: 21.5 });
    return `  curl --cacert ${file(authorityFiles.certificate)} -H "authorization: Bearer $(cat ${file(tokenFile)})" -H 'content-type: application/json' -d '${document}' https://127.0.0.1:8080/v1/readings`;
  });
  return [...lines, ...tokens].join("\n");
}

/** Quotes a text as a word of a shell. */
function quoted(text: string): string {
  return /^[A-Za-z0-9_./:,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd())
    .join("\n");
}
