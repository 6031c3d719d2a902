import { type ConnectionLimits, connectionDefaults } from "../server/connection-limits.ts";
import type { Setting } from "./setting-schema.ts";

/** The settings of a server for its connections. */
export function connectionSettings() {
  return {
    maxConnections: {
      flag: "--max-connections",
      env: "DEVICEMESH_MAX_CONNECTIONS",
      kind: "integer",
      default: connectionDefaults.connectionsMax,
      minimum: 1,
      maximum: 65_536,
      description:
        "Largest number of connections of a port. Another one replaces the oldest idle connection, or is closed if there is none.",
    },
    maxConnectionsPerAddress: {
      flag: "--max-connections-per-address",
      env: "DEVICEMESH_MAX_CONNECTIONS_PER_ADDRESS",
      kind: "integer",
      default: connectionDefaults.addressConnectionsMax,
      minimum: 1,
      maximum: 65_536,
      description:
        "Largest number of connections of one IPv4 address or IPv6 /64 network, other than this machine. Further ones are closed.",
    },
  } as const satisfies Readonly<Record<string, Setting>>;
}

/** The limits that these settings ask for; this machine's clients share the limit of the port. */
export function connectionLimitsOf(settings: {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
}): Pick<ConnectionLimits, "connectionsMax" | "addressConnectionsMax" | "loopbackConnectionsMax"> {
  return {
    connectionsMax: settings.maxConnections,
    addressConnectionsMax: settings.maxConnectionsPerAddress,
    loopbackConnectionsMax: settings.maxConnections,
  };
}
