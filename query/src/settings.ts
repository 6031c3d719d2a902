import { userAccessSettings } from "@devicemesh/identity";
import { addressSettings } from "@devicemesh/kit/settings/address-settings";
import { connectionSettings } from "@devicemesh/kit/settings/connection-settings";
import { defineSettings, type SettingsOf } from "@devicemesh/kit/settings/define-settings";
import { metricsSettings } from "@devicemesh/kit/settings/metrics-setting";
import { sensorSettings } from "@devicemesh/kit/settings/sensor-settings";
import { chainSettings } from "@devicemesh/pipeline";
import { defaultQueryConfig } from "./limits.ts";

/** The settings of query as a separate process, with MongoDB behind it. */
export const querySettings = defineSettings({
  prefix: "DEVICEMESH_",
  usage: "node query/src/main.ts [flags]",
  summary: "Answers queries about the readings in the database.",
  settings: {
    ...addressSettings({
      hostVariable: "DEVICEMESH_HOST",
      portVariable: "DEVICEMESH_PORT",
      port: defaultQueryConfig.port,
      hostDescription:
        "Address to listen on; beyond this machine only with identity or --insecure-beyond-loopback.",
    }),
    ...userAccessSettings(),
    ...sensorSettings(),
    mongodbUrl: chainSettings.mongodbUrl,
    mongodbDatabase: chainSettings.mongodbDatabase,
    pageTokenSecret: {
      flag: "--page-token-secret",
      env: "DEVICEMESH_PAGE_TOKEN_SECRET",
      kind: "string",
      placeholder: "TEXT",
      description:
        "Secret that signs page tokens. Must be the same on all instances of query. Random at each start by default.",
    },
    corsOrigin: {
      flag: "--cors-origin",
      env: "DEVICEMESH_CORS_ORIGIN",
      kind: "string",
      placeholder: "ORIGIN",
      description: "Origins of web pages that may call query, separated by commas. None by default.",
    },
    reflectServices: {
      flag: "--reflect-services",
      env: "DEVICEMESH_REFLECT_SERVICES",
      kind: "string",
      placeholder: "SERVICE",
      description:
        "Services of other servers that reflection lists too, separated by commas. For use behind a proxy with one address.",
    },
    ingestAddress: {
      flag: "--ingest-address",
      env: "DEVICEMESH_INGEST_ADDRESS",
      kind: "string",
      default: "127.0.0.1:50051",
      placeholder: "HOST:PORT",
      description: "Public address of ingest, shown on the page.",
    },
    generatorAddress: {
      flag: "--generator-address",
      env: "DEVICEMESH_GENERATOR_ADDRESS",
      kind: "string",
      default: "127.0.0.1:8081",
      placeholder: "HOST:PORT",
      description: "Public address of the generator's control, shown on the page.",
    },
    ...connectionSettings(),
    ...metricsSettings(),
    logLevel: chainSettings.logLevel,
  },
});

/** The settings of the process. */
export type QuerySettings = SettingsOf<typeof querySettings>;
