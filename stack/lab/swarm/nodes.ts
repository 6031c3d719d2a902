import { setTimeout as delay } from "node:timers/promises";
import type { Engine } from "../machine/engine.ts";
import { labNetwork } from "../machine/network.ts";
import { throwIfEnding } from "../machine/shell.ts";

/** The roles of each node of the lab's Swarm, with the labels of stack/README.md. */
function labelsOf(node: number, nodes: number): readonly string[] {
  return [
    `devicemesh.kafka=${node}`,
    `devicemesh.mongo=${node}`,
    "devicemesh.edge=true",
    ...(node === 1 ? ["devicemesh.admin=true"] : []),
    ...(node === nodes ? ["devicemesh.spark=true"] : []),
  ];
}

/** Managers that were all killed elect a leader first, on two busy cores. */
const readyLimitMs = 300_000;

/** Creates one Swarm of these engines, all of them managers, and labels them. */
export async function makeSwarm(engines: readonly Engine[]): Promise<void> {
  const [first, ...others] = engines as [Engine, ...Engine[]];
  await first.docker([
    ...["swarm", "init", "--advertise-addr", labNetwork.addressOf(1)],
    ...["--default-addr-pool", labNetwork.overlayPool, "--default-addr-pool-mask-length", "24"],
  ]);
  const token = (await first.docker(["swarm", "join-token", "--quiet", "manager"])).trim();
  for (const [place, engine] of others.entries()) {
    const address = labNetwork.addressOf(place + 2);
    await engine.docker([
      ...["swarm", "join", "--token", token, "--advertise-addr", address],
      `${labNetwork.addressOf(1)}:2377`,
    ]);
  }
  await untilReady(first, engines.length);
  for (const [place, engine] of engines.entries()) {
    const labels = labelsOf(place + 1, engines.length).flatMap((label) => ["--label-add", label]);
    const id = (await engine.docker(["info", "--format", "{{.Swarm.NodeID}}"])).trim();
    await first.docker(["node", "update", ...labels, id]);
  }
}

/** Resolves when this number of nodes are ready. */
export async function untilReady(manager: Engine, count: number): Promise<void> {
  const deadlineMs = performance.now() + readyLimitMs;
  for (;;) {
    const states = await manager.docker(["node", "ls", "--format", "{{.Status}}"]).catch((error) => {
      throwIfEnding(error);
      return "";
    });
    if (states.split("\n").filter((state) => state === "Ready").length >= count) return;
    if (performance.now() > deadlineMs) throw new Error(`not all nodes are ready: ${states.trim()}`);
    await delay(500);
  }
}
