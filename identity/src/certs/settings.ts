import { defineSettings, type SettingsOf } from "@devicemesh/kit/settings/define-settings";

/** The settings of `npm run certs`. */
export const certsSettings = defineSettings({
  prefix: "DEVICEMESH_CERTS_",
  usage: "npm run certs -- [flags]",
  summary:
    "Makes credentials for development: a CA, a server, devices, gateways and users. What is still valid is kept.",
  settings: {
    out: {
      flag: "--out",
      env: "DEVICEMESH_CERTS_OUT",
      kind: "string",
      default: "./certs",
      placeholder: "FOLDER",
      description: "Folder to write to.",
    },
    renew: {
      flag: "--renew",
      env: "DEVICEMESH_CERTS_RENEW",
      kind: "boolean",
      default: false,
      description: "Make all anew but the CA and the key of tokens, so that what runs goes on trusting.",
    },
    devices: {
      flag: "--devices",
      env: "DEVICEMESH_CERTS_DEVICES",
      kind: "string",
      default: "my-thermostat",
      placeholder: "ID,…",
      description: "Device ids that get a certificate, with commas.",
    },
    gateways: {
      flag: "--gateways",
      env: "DEVICEMESH_CERTS_GATEWAYS",
      kind: "string",
      default: "demo,seattle",
      placeholder: "PREFIX,…",
      description: "Prefixes of device ids that get a gateway's certificate, with commas.",
    },
    serverNames: {
      flag: "--server-names",
      env: "DEVICEMESH_CERTS_SERVER_NAMES",
      kind: "string",
      default: "localhost,127.0.0.1,::1,envoy,ingest,query,generator",
      placeholder: "NAME,…",
      description: "Names and addresses of the server, with commas.",
    },
    trustDomain: {
      flag: "--trust-domain",
      env: "DEVICEMESH_CERTS_TRUST_DOMAIN",
      kind: "string",
      default: "devicemesh",
      placeholder: "NAME",
      description: "Domain of devices' names: spiffe://NAME/device/ID.",
    },
    tokenIssuer: {
      flag: "--token-issuer",
      env: "DEVICEMESH_CERTS_TOKEN_ISSUER",
      kind: "string",
      default: "devicemesh",
      placeholder: "TEXT",
      description: "Who users' tokens are from (iss).",
    },
    tokenAudience: {
      flag: "--token-audience",
      env: "DEVICEMESH_CERTS_TOKEN_AUDIENCE",
      kind: "string",
      default: "devicemesh",
      placeholder: "TEXT",
      description: "Whom users' tokens are for (aud).",
    },
    validFor: {
      flag: "--valid-for",
      env: "DEVICEMESH_CERTS_VALID_FOR",
      kind: "duration",
      default: "90d",
      minimum: "1m",
      maximum: "825d",
      description: "How long certificates and tokens are valid; the CA is for ten years.",
    },
  },
});

/** What `npm run certs` is told. */
export type CertsConfig = SettingsOf<typeof certsSettings>;
