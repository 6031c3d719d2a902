import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readProperties } from "@devicemesh/engines/plans/template";
import { describe, expect, it } from "vitest";
import { readStack } from "../../testing/stack-fixture.ts";
import { addresses, type Shape } from "./addresses.ts";
import { configFolder, projectFolder } from "./stack-files.ts";

const shapes = ["swarm", "single"] as const satisfies readonly Shape[];

// Swarm publishes a task's name only when the task is healthy. Tasks that become healthy only together would wait
// forever: a broker that cannot find its fellow voters opens its controller's port and never the other one.
describe.each(shapes)("members of a cluster are healthy before they have found each other (%s)", (shape) => {
  const { services } = readStack(shape, process.env);
  const healthOf = (name: string) => services[name]?.healthcheck?.test.join(" ") ?? "";

  it.each(addresses.kafka.hosts)("%s is checked at its controller's port, not at the broker's", (name) => {
    const file = join(configFolder, `${shape === "single" ? "single/kafka-1" : name}.properties`);
    const listeners = readProperties(readFileSync(file, "utf8")).get("listeners") ?? "";
    const controllerPort = /CONTROLLER:\/\/[^:]+:(\d+)/.exec(listeners)?.[1];
    expect(controllerPort).toBe(`${addresses.kafka.controllerPort}`);
    expect(healthOf(name)).toBe("CMD /opt/devicemesh/entry.sh healthy broker");
    const script = readFileSync(join(projectFolder, "stack/images/kafka-entry.sh"), "utf8");
    expect(script).toContain(`controller_port=\${KAFKA_CONTROLLER_PORT:-${controllerPort}}`);
    expect(services[name]?.environment).not.toHaveProperty("KAFKA_CONTROLLER_PORT");
  });

  it.each(addresses.mongo.hosts)("%s is healthy as soon as it answers, not only in a replica set", (name) => {
    expect(healthOf(name)).toContain("db.hello().ok");
    expect(healthOf(name)).not.toMatch(/isWritablePrimary|rs\.|replSetGetStatus/);
  });
});

describe("pages for operators of the mesh", () => {
  const { services } = readStack("swarm", process.env, {}, { admin: true });
  const published = Object.entries(services).filter(
    ([name, { ports = [] }]) => ports.length > 0 && name !== "envoy" && name !== "mqtt",
  );

  it.each(published)("%s uses TLS with the front door's certificate", (_, service) => {
    const printed = Object.values(service.environment ?? {}).map((value) => value.replace(/^file:/, ""));
    expect(printed).toContain("/etc/devicemesh/server.pem");
    expect(printed).toContain("/run/secrets/server-key.pem");
    expect(service.configs?.map(({ target }) => target)).toContain("/etc/devicemesh/server.pem");
    expect(service.secrets?.map(({ target }) => target)).toContain("server-key.pem");
  });

  it.each(published)("%s requires a password, which is a separate secret", (name, { secrets = [] }) => {
    const own = secrets.map(({ source }) => source).filter((source) => source.endsWith("_password"));
    expect(own).toEqual([`${name.replaceAll("-", "_")}_password`]);
  });

  it("mongo-express requires authentication by the variable of its version", () => {
    const { image, environment } = services["mongo-express"] ?? {};
    expect(image).toMatch(/^mongo-express:1\.0\./);
    expect(environment?.ME_CONFIG_BASICAUTH).toBe("true");
  });
});

describe("volumes", () => {
  const { services } = readStack("swarm", process.env);
  const ours = Object.entries(services).flatMap(([name, { image, volumes = [] }]) => {
    const built = /devicemesh\/(\w+):/.exec(image)?.[1];
    return built === undefined
      ? []
      : volumes.filter(({ type }) => type === "volume").map(({ target }) => ({ name, built, target }));
  });

  it("are mounted by some of our images", () => {
    expect(new Set(ours.map(({ built }) => built))).toEqual(new Set(["services", "spark", "kafka"]));
  });

  // A new volume gets owner and mode of the image's folder that it covers; without a folder it belongs to root.
  it.each(ours)(
    "$name may write to $target: its image has that folder, its user's own",
    ({ built, target }) => {
      const text = readFileSync(join(projectFolder, `stack/images/${built}.Dockerfile`), "utf8");
      const user = /^USER (\w+)$/m.exec(text)?.[1] ?? "";
      const made = new RegExp(`install -d -o ${user} -g ${user}((?: /\\S+)+)$`, "m").exec(text)?.[1] ?? "";
      expect(made.trim().split(" ")).toContain(target);
    },
  );
});
