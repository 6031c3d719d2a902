import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { bytesOf, readStack, type StackService } from "../../testing/stack-fixture.ts";
import { composeFile, composeMarks } from "./compose-file.ts";
import { createDocker } from "./docker.ts";
import { mergedConfig } from "./merged-config.ts";
import { projectFolder, stackFiles } from "./stack-files.ts";

type ComposeService = Omit<StackService, "ports" | "networks"> & {
  readonly ports?: readonly string[];
  readonly networks?: Readonly<Record<string, { readonly aliases: readonly string[] }>>;
  readonly mem_limit?: string;
  readonly restart?: string;
  readonly depends_on?: object;
};

const text = readFileSync(join(projectFolder, "compose.yml"), "utf8");
/** As Compose reads it where no variable is set. */
const compose = JSON.parse(
  JSON.stringify(parse(text))
    .replaceAll(/(?<!\$)\$\{\w+:-([^}]*)\}/g, "$1")
    .replaceAll("$$", "$"),
) as {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
};
const stack = readStack("single", process.env, { DEVICEMESH_PUBLIC_HOST: "localhost" });
const running = Object.entries(stack.services).filter(([, { deploy }]) => deploy.replicas !== 0);
const copies = (compose.services.secrets?.command ?? []).join("\n").split("\n");

describe("compose.yml", () => {
  it("is up to date", () => {
    const docker = createDocker({
      env: process.env,
      variables: composeMarks,
      dryRun: false,
      report: () => {},
    });
    expect(text).toBe(composeFile(mergedConfig(docker, stackFiles("single")), projectFolder));
    expect(text).not.toContain("mark-");
    expect(text).not.toContain(projectFolder);
  });

  it("has the services of the stack on one machine, and the one that provides secrets", () => {
    expect(Object.keys(compose.services).sort()).toEqual(
      ["secrets", ...running.map(([name]) => name)].sort(),
    );
  });

  it("publishes no port of an internal service", () => {
    const internal = (networks: Readonly<Record<string, { readonly internal?: boolean }>>) =>
      Object.entries(networks).map(([name, { internal: is = false }]) => [name, is]);
    expect(internal(compose.networks).sort()).toEqual(internal(stack.networks).sort());
  });
});

describe.each(running)("%s in compose.yml", (name, service) => {
  const same = compose.services[name] as ComposeService;

  it("runs as in the stack, with the same rights and bounds", () => {
    for (const key of ["image", "command", "environment", "hostname", "healthcheck", "cap_drop"] as const) {
      expect([key, same[key]]).toEqual([key, service[key]]);
    }
    expect(same.read_only ?? false).toBe(service.read_only ?? false);
    expect(bytesOf(same.mem_limit ?? "none")).toBe(bytesOf(service.deploy.resources!.limits!.memory!));
    expect(same.restart).toBe(service.deploy.mode === undefined ? "unless-stopped" : "on-failure");
  });

  it("is found and reached as in the stack, from this machine only", () => {
    expect(Object.keys(same.networks ?? {}).sort()).toEqual(Object.keys(service.networks ?? {}).sort());
    for (const { aliases } of Object.values(same.networks ?? {})) expect(aliases).toEqual([`tasks.${name}`]);
    const ports = (service.ports ?? []).map(({ published, target }) => `127.0.0.1:${published}:${target}`);
    expect(same.ports ?? []).toEqual(ports);
  });

  it("has the same files in the same places, and its secrets for its own user alone", () => {
    const { volumes = [] } = same;
    for (const { source, target } of service.configs ?? []) {
      const file = `.${stack.configs[source]!.file.slice(projectFolder.length)}`;
      expect(volumes).toContainEqual({ type: "bind", source: file, target, read_only: true });
      if (!file.startsWith("./stack/secrets/")) expect(existsSync(join(projectFolder, file))).toBe(true);
    }
    for (const { source, target, uid } of service.secrets ?? []) {
      const file = stack.secrets[source]!.file.slice(`${projectFolder}/stack/secrets/`.length);
      expect(copies).toContain(`install -o ${uid} -g ${uid} -m 0400 /from/${file} /to/${name}/${target}`);
    }
    const own = { type: "volume", source: `secrets-${name}`, target: "/run/secrets", read_only: true };
    if ((service.secrets ?? []).length > 0) {
      expect(volumes).toContainEqual(own);
      expect(same.depends_on).toEqual({ secrets: { condition: "service_completed_successfully" } });
    }
    for (const volume of service.volumes ?? []) expect(volumes).toContainEqual(volume);
  });
});
