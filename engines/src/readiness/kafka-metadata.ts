import { exchange } from "./socket-exchange.ts";

/** A broker's description of its cluster. */
export type ClusterMetadata = {
  /** Node ids of the live brokers in the cluster. */
  readonly brokers: readonly number[];
  /** Node id of the controller, or undefined if there is none. */
  readonly controller: number | undefined;
};

/** Metadata, version 1: the oldest that names the controller; every broker since 0.10 answers it. */
const metadataKey = 3;
const metadataVersion = 1;
const clientId = "devicemesh-engines";

/**
 * Requests the members of a broker's cluster.
 * @throws Error if it does not answer in `limitMs`, or not in the Kafka protocol.
 */
export async function clusterMetadata(options: {
  readonly host: string;
  readonly port: number;
  readonly limitMs: number;
}): Promise<ClusterMetadata> {
  const answer = await exchange({
    ...options,
    request: metadataRequest(),
    answerBytes: (begun) => (begun.length < 4 ? undefined : 4 + begun.readInt32BE(0)),
  });
  return readMetadata(answer);
}

function metadataRequest(): Buffer {
  const header = Buffer.alloc(10);
  header.writeInt16BE(metadataKey, 0);
  header.writeInt16BE(metadataVersion, 2);
  header.writeInt32BE(1, 4);
  header.writeInt16BE(clientId.length, 8);
  const noTopics = Buffer.alloc(4);
  const size = Buffer.alloc(4);
  size.writeInt32BE(header.length + clientId.length + noTopics.length);
  return Buffer.concat([size, header, Buffer.from(clientId), noTopics]);
}

/** Response: size, correlation id, brokers (id, host, port, rack), controller id. */
function readMetadata(answer: Buffer): ClusterMetadata {
  let at = 8;
  const readInt32 = (): number => {
    at += 4;
    return answer.readInt32BE(at - 4);
  };
  const skipString = (): void => {
    at += 2 + Math.max(0, answer.readInt16BE(at));
  };
  const brokers = Array.from({ length: readInt32() }, () => {
    const id = readInt32();
    skipString();
    readInt32();
    skipString();
    return id;
  });
  const controller = readInt32();
  return { brokers, controller: controller < 0 ? undefined : controller };
}
