import type { Shell } from "./shell.ts";

/** Names and addresses of the lab's network: one per machine, without a route to other networks. */
export const labNetwork = {
  bridge: "dmlab",
  hostAddress: "10.77.0.254",
  /** The address of a registry of images on this machine. */
  registry: "10.77.0.254:5000",
  namespaceOf: (node: number) => `dmlab${node}`,
  addressOf: (node: number) => `10.77.0.${node}`,
  /** The address of the engine's own bridge in a node. */
  bridgeAddressOf: (node: number) => `10.78.${node}.1/24`,
  /** The addresses of networks that the engines create. */
  localPool: "10.79.0.0/16",
  overlayPool: "10.80.0.0/16",
} as const;

/** Creates the bridge between all nodes, with an address for this machine. */
export async function makeBridge({ run }: Shell): Promise<void> {
  const { bridge, hostAddress } = labNetwork;
  await run(["ip", "link", "add", bridge, "type", "bridge"]);
  await run(["ip", "addr", "add", `${hostAddress}/24`, "dev", bridge]);
  await run(["ip", "link", "set", bridge, "up"]);
}

/** Creates the network namespace of a node, connected to the bridge. */
export async function makeNamespace({ run }: Shell, node: number): Promise<void> {
  const name = labNetwork.namespaceOf(node);
  await run(["ip", "netns", "add", name]);
  await run(["ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name]);
  await run(["ip", "link", "set", name, "master", labNetwork.bridge, "up"]);
  const inside = `ip link set lo up && ip addr add ${labNetwork.addressOf(node)}/24 dev eth0 && ip link set eth0 up`;
  await run(insideNamespace(node, ["sh", "-c", inside]));
}

/**
 * Returns a command inside the namespace of a node. It uses `nsenter`, not `ip netns exec`, which mounts a new /sys in
 * which an engine finds no cgroups.
 */
export function insideNamespace(node: number, command: readonly string[]): readonly string[] {
  return ["nsenter", `--net=/var/run/netns/${labNetwork.namespaceOf(node)}`, ...command];
}

/** Disconnects a node from all others, or connects it again. */
export async function setLink({ run }: Shell, node: number, state: "up" | "down"): Promise<void> {
  await run(["ip", "link", "set", labNetwork.namespaceOf(node), state]);
}
