import { createKafkaBrokers } from "@devicemesh/pipeline/kafka-brokers";
import type { KafkaSecurity } from "@devicemesh/pipeline/kafka-client";
import { describeLogDirsV4, ResponseError } from "@platformatic/kafka";
import type { WithAdmin } from "../kafka-admin.ts";
import type { Disk } from "./disk-watch.ts";

/** The part of a broker's answer that is used. */
type LogDirectory = {
  readonly errorCode: number;
  readonly totalBytes: bigint;
  readonly usableBytes: bigint;
};

const timeoutMs = 5000;

/**
 * Returns the disk of each log directory of each broker. A broker that does not answer is left out: that it is
 * unavailable is reported elsewhere. kafkajs has no such request.
 * @throws the signal's reason; what asking for the brokers throws.
 */
export async function readBrokerDisks(
  { withAdmin, security }: { readonly withAdmin: WithAdmin; readonly security: KafkaSecurity | undefined },
  signal: AbortSignal,
): Promise<readonly Disk[]> {
  const { brokers } = await withAdmin((admin) => admin.describeCluster(), signal);
  const found = await Promise.all(
    brokers.map(async ({ nodeId, host, port }) => {
      const directories = await readLogDirectories(`${host}:${port}`, signal, security).catch(() => []);
      return directories.map(
        ({ errorCode, totalBytes, usableBytes }): Disk => ({
          name: `of broker ${nodeId}`,
          totalBytes: Number(totalBytes),
          freeBytes: Number(usableBytes),
          hasFailed: errorCode !== 0,
        }),
      );
    }),
  );
  signal.throwIfAborted();
  return found.flat();
}

/** Asks one broker, over a connection of its own. */
export async function readLogDirectories(
  address: string,
  signal: AbortSignal,
  security?: KafkaSecurity | undefined,
): Promise<readonly LogDirectory[]> {
  const brokers = createKafkaBrokers({
    brokers: [address],
    clientId: "operator",
    requestTimeoutMs: timeoutMs,
    security,
  });
  const close = () => void brokers.close();
  signal.addEventListener("abort", close);
  try {
    signal.throwIfAborted();
    // No topics: their sizes are of no interest here, and a broker may have thousands.
    const { results } = await describeLogDirsV4.api.async(await brokers.to(address), []);
    return results;
  } catch (error) {
    // A directory that has failed makes the client throw, with the answer at hand.
    if (error instanceof ResponseError) return (error.response as { results: LogDirectory[] }).results;
    throw error;
  } finally {
    signal.removeEventListener("abort", close);
    close();
  }
}
