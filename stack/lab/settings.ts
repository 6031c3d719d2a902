import { defineSettings, type SettingsOf } from "@devicemesh/kit/settings/define-settings";

/** The settings of `npm run stack:lab`. */
export const labSettings = defineSettings({
  prefix: "DEVICEMESH_LAB_",
  usage: "npm run stack:lab -- [flags]",
  summary:
    "Runs docker-stack.yml on real engines of Docker in network namespaces of this machine, builds the project's images, waits until all is healthy, and prints the address. Ctrl-C removes everything. Needs Linux and root.",
  settings: {
    single: {
      flag: "--single",
      env: "DEVICEMESH_LAB_SINGLE",
      kind: "boolean",
      default: false,
      description: "One node, with docker-stack.single.yml; else three nodes.",
    },
    faults: {
      flag: "--faults",
      env: "DEVICEMESH_LAB_FAULTS",
      kind: "string",
      default: "",
      placeholder: "NAME,…",
      description:
        "Cause these faults under load, one after the other, check every answer, and end: unchanged, kill, cut, drain, scale, rotate, update, bad-update, restart, again; `all` for all.",
    },
    allFaults: {
      flag: "--all-faults",
      env: "DEVICEMESH_LAB_ALL_FAULTS",
      kind: "boolean",
      default: false,
      description: "The same as --faults all.",
    },
    registry: {
      flag: "--registry",
      env: "DEVICEMESH_LAB_REGISTRY",
      kind: "boolean",
      default: false,
      description:
        "The nodes pull the project's images from a registry on this machine, instead of loading them. Needs docker-registry (Debian). For three nodes.",
    },
    once: {
      flag: "--once",
      env: "DEVICEMESH_LAB_ONCE",
      kind: "boolean",
      default: false,
      description:
        "End when the stack is healthy and a short load has been checked, instead of waiting for Ctrl-C.",
    },
    walk: {
      flag: "--walk",
      env: "DEVICEMESH_LAB_WALK",
      kind: "boolean",
      default: false,
      description:
        "On one node, run the commands of docs/running.md, from a fresh Debian to the first answer, word by word, and end.",
    },
    compose: {
      flag: "--compose",
      env: "DEVICEMESH_LAB_COMPOSE",
      kind: "boolean",
      default: false,
      description:
        "Run compose.yml on one engine instead, check a short load, and end. Needs Docker Compose (docker-compose on Debian).",
    },
    clean: {
      flag: "--clean",
      env: "DEVICEMESH_LAB_CLEAN",
      kind: "boolean",
      default: false,
      description: "Only remove what an earlier run left behind.",
    },
    folder: {
      flag: "--folder",
      env: "DEVICEMESH_LAB_FOLDER",
      kind: "string",
      default: "",
      placeholder: "DIR",
      description:
        "Engines, images and logs (about 6 GB); by default .cache/devicemesh/stack-lab in the home folder. What builds need is kept.",
    },
  },
});

/** The values of the lab's settings. */
export type LabConfig = SettingsOf<typeof labSettings>;
