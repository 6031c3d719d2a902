import { X509Certificate } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { accepts, deviceIdentity } from "../load/front-door.ts";
import { labNetwork, setLink } from "../machine/network.ts";
import { type Lab, npmRun, stackName } from "../start.ts";
import { untilReady } from "../swarm/nodes.ts";
import { startPeriodVariable } from "../swarm/overlay.ts";
import type { FaultName } from "./fault-names.ts";

/** How long a node is unavailable, in ms. */
const downMs = 45_000;
const cutMs = 60_000;
/** How long services and networks may take to go, in ms. */
const removedLimitMs = 900_000;

/** Passwords that `rotate` makes anew, besides certificates, tokens and the deny list. */
const rotatedPasswords = ["page_token_secret", "spark_token"];
/** Tasks of services that mount one of these. */
const rotated = /_(?:envoy|ingest|query|gateway|mqtt|generator|aggregator|spark-connect)\./;

/** What each fault does. Each resolves when the stack is healthy again. */
export const faults: Readonly<Record<FaultName, (lab: Lab) => Promise<void>>> = {
  async unchanged(lab) {
    const before = await tasksOf(lab);
    await lab.deploy();
    await lab.untilHealthy();
    const after = await tasksOf(lab);
    if (before !== after)
      throw new Error(`a deployment without a change replaced tasks:\n${before}\n${after}`);
  },

  async kill(lab) {
    const node = lastNode(lab);
    await node.engine.kill();
    await delay(downMs);
    await node.engine.start();
    await healthyWithAllNodes(lab);
  },

  async cut(lab) {
    const { place } = lastNode(lab);
    await setLink(lab.shell, place, "down");
    await delay(cutMs);
    await setLink(lab.shell, place, "up");
    await healthyWithAllNodes(lab);
  },

  async drain(lab) {
    const { engine, manager } = lastNode(lab);
    const id = (await engine.docker(["info", "--format", "{{.Swarm.NodeID}}"])).trim();
    await manager.docker(["node", "update", "--availability", "drain", id]);
    await delay(downMs);
    await manager.docker(["node", "update", "--availability", "active", id]);
    await lab.untilHealthy();
  },

  async scale(lab) {
    await lab.deploy({
      DEVICEMESH_INGEST_REPLICAS: "3",
      DEVICEMESH_QUERY_REPLICAS: "1",
      DEVICEMESH_CONNECT_REPLICAS: "2",
      DEVICEMESH_SPARK_WORKERS: "2",
    });
    await lab.untilHealthy();
    await lab.deploy();
    await lab.untilHealthy();
  },

  async rotate(lab) {
    const { checkout, nodes } = lab;
    const before = await tasksOf(lab);
    const hosts = nodes.map((_, place) => labNetwork.addressOf(place + 1)).join(",");
    const certs = join(checkout.folder, "stack/secrets/certs");
    const revoked = new X509Certificate(readFileSync(join(certs, "device-my-thermostat.pem")));
    const identity = deviceIdentity(certs, "device-my-thermostat");
    // Passwords that the lab's stack asks for; the stand-in for MongoDB knows none.
    for (const file of rotatedPasswords) rmSync(join(checkout.folder, "stack/secrets", file));
    await checkout.run([...npmRun, "stack:secrets", "--", "--renew", "--hosts", hosts]);
    writeFileSync(join(certs, "denied.txt"), `serial ${revoked.serialNumber}\n`);
    await lab.deploy();
    await lab.untilHealthy();
    const kept = before.split("\n").filter((task) => !rotated.test(task));
    const after = new Set((await tasksOf(lab)).split("\n"));
    const replaced = kept.filter((task) => !after.has(task));
    if (replaced.length > 0) throw new Error(`replaced without need: ${replaced.join(", ")}`);
    if (await accepts(`${labNetwork.addressOf(1)}:8444`, identity, "my-thermostat")) {
      throw new Error("a device is accepted whose certificate is on the deny list");
    }
  },

  async update(lab) {
    await lab.build("0.1.1");
    await lab.deploy({ DEVICEMESH_VERSION: "0.1.1" });
    await lab.untilHealthy();
    const images = await lab.nodes[0]?.docker(["stack", "services", "--format", "{{.Image}}", stackName]);
    const old = images?.split("\n").filter((image) => image.endsWith(":0.1.0")) ?? [];
    if (old.length > 0) throw new Error(`still of the old version: ${old.join(", ")}`);
  },

  async "bad-update"(lab) {
    const version = "0.0.0-unhealthy";
    await lab.buildUnhealthy(version);
    // Swarm gives a service up only after its start period.
    const outcome = await lab.deploy({ DEVICEMESH_VERSION: version, [startPeriodVariable]: "20s" }).then(
      () => "it ended without an error",
      (error: Error) => error.message,
    );
    if (!/the update of \S+ failed \((?:rollback|paused)/.test(outcome)) {
      throw new Error(`stack:deploy did not report the roll-back: ${outcome}`);
    }
    lab.report(`  stack:deploy: ${outcome.split("\n").find((line) => line.includes("failed (")) ?? ""}`);
    await lab.untilHealthy();
  },

  async restart(lab) {
    await Promise.all(lab.nodes.map((engine) => engine.kill()));
    await Promise.all(lab.nodes.map((engine) => engine.start()));
    await healthyWithAllNodes(lab);
  },

  async again(lab) {
    await lab.checkout.run([...npmRun, "stack:remove"]);
    await untilRemoved(lab);
    await lab.deploy();
    await lab.untilHealthy();
  },
};

function lastNode({ nodes }: Lab) {
  const [manager, engine] = [nodes[0], nodes.at(-1)];
  if (manager === undefined || engine === undefined) throw new Error("the lab has no node");
  return { manager, engine, place: nodes.length };
}

async function healthyWithAllNodes(lab: Lab): Promise<void> {
  await untilReady(lastNode(lab).manager, lab.nodes.length);
  await lab.untilHealthy();
}

async function tasksOf(lab: Lab): Promise<string> {
  const listed = await lastNode(lab).manager.docker([
    ...["stack", "ps", "--filter", "desired-state=running", "--format", "{{.ID}} {{.Name}}", stackName],
  ]);
  return listed.trim().split("\n").sort().join("\n");
}

/** The networks of a stack are removed only after its last task. */
async function untilRemoved(lab: Lab): Promise<void> {
  const { manager } = lastNode(lab);
  const filter = ["--filter", `label=com.docker.stack.namespace=${stackName}`, "--quiet"];
  const deadlineMs = performance.now() + removedLimitMs;
  for (;;) {
    const left = [
      await manager.docker(["service", "ls", ...filter]),
      await manager.docker(["network", "ls", ...filter]),
    ].join("");
    if (left.trim() === "") return;
    if (performance.now() > deadlineMs) throw new Error(`stack:remove left services or networks: ${left}`);
    await delay(1000);
  }
}
