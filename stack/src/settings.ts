import { defineSettings, type SettingsOf } from "@devicemesh/kit/settings/define-settings";

/** The actions of `npm run stack:<command>`. */
export const stackCommands = ["config", "secrets", "build", "deploy", "remove", "digests"] as const;

export type StackCommand = (typeof stackCommands)[number];

/** The settings of the commands of the stack. */
export const stackSettings = defineSettings({
  prefix: "DEVICEMESH_STACK_",
  usage: `npm run stack:${stackCommands.join("|")} -- [flags]`,
  summary:
    "config renders what the stack mounts and has Docker check it; secrets makes passwords and certificates, once; build builds the images; deploy deploys or updates; remove removes the services and keeps volumes and secrets' files; digests pins the images of registries in the stack files and Dockerfiles.",
  positionals: { max: 1, placeholder: "COMMAND" },
  settings: {
    single: {
      flag: "--single",
      env: "DEVICEMESH_STACK_SINGLE",
      kind: "boolean",
      default: false,
      description: "For one machine: with docker-stack.single.yml over docker-stack.yml.",
    },
    admin: {
      flag: "--admin",
      env: "DEVICEMESH_STACK_ADMIN",
      kind: "boolean",
      default: false,
      description: "With docker-stack.admin.yml: Kafka UI and mongo-express, for administrators.",
    },
    overlay: {
      flag: "--overlay",
      env: "DEVICEMESH_STACK_OVERLAY",
      kind: "string",
      default: "",
      placeholder: "FILE,…",
      description: "Stack files of your own, merged over the others; relative to the project.",
    },
    name: {
      flag: "--name",
      env: "DEVICEMESH_STACK_NAME",
      kind: "string",
      default: "devicemesh",
      placeholder: "NAME",
      description: "Name of the stack: the prefix of the names of its services and volumes.",
    },
    hosts: {
      flag: "--hosts",
      env: "DEVICEMESH_STACK_HOSTS",
      kind: "string",
      default: "localhost,127.0.0.1",
      placeholder: "NAME,…",
      description:
        "secrets, deploy: names and addresses of the front door for users and devices: its certificate has them all, the page shows the first.",
    },
    renew: {
      flag: "--renew",
      env: "DEVICEMESH_STACK_RENEW",
      kind: "boolean",
      default: false,
      description:
        "secrets: make new certificates and tokens, signed by the same authority; else only those that expire within a month.",
    },
    dryRun: {
      flag: "--dry-run",
      env: "DEVICEMESH_STACK_DRY_RUN",
      kind: "boolean",
      default: false,
      description: "Print the commands of Docker and run none of them.",
    },
    registry: {
      flag: "--registry",
      env: "DEVICEMESH_STACK_REGISTRY",
      kind: "string",
      default: "https://registry-1.docker.io",
      placeholder: "URL",
      description: "digests: the registry of images that name no host: Docker Hub, or a mirror of it.",
    },
    check: {
      flag: "--check",
      env: "DEVICEMESH_STACK_CHECK",
      kind: "boolean",
      default: false,
      description: "config: change nothing, and fail if a rendered file is out of date.",
    },
  },
});

/** The settings of a command. */
export type StackConfig = SettingsOf<typeof stackSettings>;
