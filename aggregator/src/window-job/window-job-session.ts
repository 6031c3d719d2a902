import { createHash } from "node:crypto";
import { createSparkClient, type SparkClient } from "../spark/spark-client.ts";

/**
 * Returns the session of a mesh: always the same one, so that a restarted aggregator finds the running query. It is a
 * UUID derived from names that are unique to the mesh.
 */
export function windowSessionId(names: { readonly topicPrefix: string; readonly database: string }): string {
  const hash = createHash("sha256")
    .update(JSON.stringify([names.topicPrefix, names.database]))
    .digest("hex");
  // The version bits of a UUID of version 8: application-specific.
  return [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `8${hash.slice(13, 16)}`,
    `8${hash.slice(17, 20)}`,
    hash.slice(20, 32),
  ].join("-");
}

/** Opens the session of a mesh; it connects with the first call. */
export function openWindowSession(options: {
  /** host:port of Spark Connect. */
  readonly address: string;
  readonly tls?: { readonly ca?: string } | undefined;
  readonly token?: string | undefined;
  readonly topicPrefix: string;
  readonly database: string;
}): SparkClient {
  const { address, tls, token, ...names } = options;
  return createSparkClient({ address, tls, token, sessionId: windowSessionId(names), userId: "devicemesh" });
}
