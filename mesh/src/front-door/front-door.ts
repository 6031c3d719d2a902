import { lookup } from "node:dns/promises";
import { isIPv4 } from "node:net";
import type { HostPort, StartEnvoyOptions } from "@devicemesh/envoy";
import { isLoopback, loopbackHosts } from "@devicemesh/kit/server/hosts";
import { listOf } from "@devicemesh/kit/settings/list-of";
import { openCallsLimitMs } from "../limits.ts";
import type { ServicesConfig } from "../services/service-plans.ts";

/** The backends of the front door. */
export type Backends = Readonly<
  Record<"ingest" | "query" | "aggregator" | "generator" | "gateway", HostPort>
>;

/**
 * Returns how Envoy is run in front of the services of a mesh. With authentication, users and devices have separate
 * listeners on the mesh's address, and the one without authentication is for this machine only.
 * @throws Error if the host has no address.
 */
export async function planFrontDoor(
  config: ServicesConfig,
  {
    binary,
    folder,
    backends,
  }: { readonly binary: string; readonly folder: string | undefined; readonly backends: Backends },
): Promise<Omit<StartEnvoyOptions, "detached" | "onSpawn" | "onOutput">> {
  const { identity, ports } = config;
  const { address: host } = await lookup(config.host);
  const { ingest, query, aggregator, generator, gateway } = backends;
  return {
    binary,
    folder,
    plain: { host: identity ? "127.0.0.1" : host, port: ports.envoy },
    ...(identity === undefined && {
      plainHosts: isLoopback(config.host)
        ? [...new Set([...loopbackHosts, ...(isIPv4(host) ? [host] : [])])]
        : "*",
    }),
    metrics: { host: "127.0.0.1", port: 0 },
    ...(identity && {
      public: { host, port: identity.publicPort, ...identity.credentials.server },
      users: { jwksFile: identity.credentials.jwks, issuer: "devicemesh", audience: "devicemesh" },
      devices: {
        host,
        port: identity.devicesPort,
        ...identity.credentials.server,
        authority: identity.credentials.authority,
        trustDomain: "devicemesh",
      },
    }),
    ingest: [ingest],
    query: [query],
    aggregator: [aggregator],
    generator: [generator],
    gateway: [gateway],
    corsOrigins: listOf(config.corsOrigin ?? ""),
    drainMs: 0,
    openCallsMs: openCallsLimitMs,
  };
}
