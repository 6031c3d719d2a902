import { defineSettings, type SettingsOf } from "@devicemesh/kit/settings/define-settings";

/** The settings of `npm run certs`. */
export const certsSettings = defineSettings({
  prefix: "DEVICEMESH_CERTS_",
  usage: "npm run certs -- [flags]",
  summary:
    "Makes credentials for development: a CA, a server certificate, device and gateway certificates, and user tokens. Valid credentials are kept.",
  settings: {
    out: {
      flag: "--out",
      env: "DEVICEMESH_CERTS_OUT",
      kind: "string",
      default: "./certs",
      placeholder: "FOLDER",
      description: "Output folder.",
    },
    renew: {
      flag: "--renew",
      env: "DEVICEMESH_CERTS_RENEW",
      kind: "boolean",
      default: false,
      description:
        "Make new credentials. The CA and the key of tokens stay, so running services still trust them.",
    },
    devices: {
      flag: "--devices",
      env: "DEVICEMESH_CERTS_DEVICES",
      kind: "string",
      default: "my-thermostat",
      placeholder: "ID,…",
      description: "Ids of devices that get a certificate, separated by commas.",
    },
    gateways: {
      flag: "--gateways",
      env: "DEVICEMESH_CERTS_GATEWAYS",
      kind: "string",
      default: "demo,seattle",
      placeholder: "PREFIX,…",
      description: "Device id prefixes that get a gateway certificate, separated by commas.",
    },
    deviceTokens: {
      flag: "--device-token",
      env: "DEVICEMESH_CERTS_DEVICE_TOKEN",
      kind: "strings",
      placeholder: "NAME=ID,PREFIX*",
      description:
        "A token for devices that send over HTTP or MQTT, with the ids and prefixes that it may send; repeatable.",
    },
    serverNames: {
      flag: "--server-names",
      env: "DEVICEMESH_CERTS_SERVER_NAMES",
      kind: "string",
      default: "localhost,127.0.0.1,::1,envoy,ingest,query,generator",
      placeholder: "NAME,…",
      description: "Host names and addresses of the server, separated by commas.",
    },
    trustDomain: {
      flag: "--trust-domain",
      env: "DEVICEMESH_CERTS_TRUST_DOMAIN",
      kind: "string",
      default: "devicemesh",
      placeholder: "NAME",
      description: "Trust domain of certificates: spiffe://NAME/device/ID.",
    },
    tokenIssuer: {
      flag: "--token-issuer",
      env: "DEVICEMESH_CERTS_TOKEN_ISSUER",
      kind: "string",
      default: "devicemesh",
      placeholder: "TEXT",
      description: "Issuer (iss) of users' tokens.",
    },
    tokenAudience: {
      flag: "--token-audience",
      env: "DEVICEMESH_CERTS_TOKEN_AUDIENCE",
      kind: "string",
      default: "devicemesh",
      placeholder: "TEXT",
      description: "Audience (aud) of users' tokens.",
    },
    validFor: {
      flag: "--valid-for",
      env: "DEVICEMESH_CERTS_VALID_FOR",
      kind: "duration",
      default: "90d",
      minimum: "1m",
      maximum: "825d",
      description: "Validity of certificates and tokens. The CA is valid for ten years.",
    },
  },
});

/** The settings of `npm run certs`. */
export type CertsConfig = SettingsOf<typeof certsSettings>;
