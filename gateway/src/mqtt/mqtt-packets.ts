import { generate, type IConnectPacket, type Packet, parser } from "mqtt-packet";

export type { IConnackPacket, IConnectPacket, IPublishPacket, ISubscribePacket, Packet } from "mqtt-packet";

/** Versions of the protocol: 3.1, 3.1.1 and 5. */
export type MqttVersion = NonNullable<IConnectPacket["protocolVersion"]>;

/** Cuts the bytes of a connection into packets. */
export type PacketReader = {
  /** Returns the packets that are complete with these bytes, or the reason why the connection cannot continue. */
  read(bytes: Buffer): readonly Packet[];
  /** Number of bytes of the packet that is not complete yet. */
  readonly incompleteBytes: number;
};

/** The protocol error for which a connection is closed. */
export class MqttProtocolError extends Error {}

/**
 * Creates a reader of packets of at most `bytesMax` bytes, the first one of at most `firstBytesMax`. A server learns the
 * version from CONNECT; a client passes its own.
 * Reading throws an MqttProtocolError for malformed and too large packets.
 */
export function createPacketReader({
  bytesMax,
  firstBytesMax = bytesMax,
  version,
}: {
  readonly bytesMax: number;
  readonly firstBytesMax?: number;
  readonly version?: MqttVersion;
}): PacketReader {
  const reader = parser(version === undefined ? {} : { protocolVersion: version });
  const guard = createSizeGuard(bytesMax, firstBytesMax);
  let packets: Packet[] = [];
  let problem: unknown;
  reader.on("packet", (packet) => packets.push(packet));
  reader.on("error", (error: unknown) => {
    problem ??= error;
  });

  return {
    get incompleteBytes() {
      return guard.incompleteBytes;
    },
    read(bytes) {
      guard.read(bytes);
      try {
        reader.parse(bytes);
      } catch (error) {
        problem ??= error;
      }
      if (problem !== undefined) {
        const text = problem instanceof Error ? problem.message : String(problem);
        throw new MqttProtocolError(text, { cause: problem });
      }
      const complete = packets;
      packets = [];
      return complete;
    },
  };
}

/** Returns the bytes of a packet. */
export function encodePacket(packet: Packet, version: MqttVersion): Buffer {
  return generate(packet, { protocolVersion: version });
}

/** The parser keeps a packet until it is complete, so its length must be checked when its header arrives. */
function createSizeGuard(bytesMax: number, firstBytesMax: number) {
  let state: "type" | "length" | "body" = "type";
  let most = firstBytesMax;
  let left = 0;
  let shift = 0;

  function end(): void {
    state = "type";
    most = bytesMax;
    guard.incompleteBytes = 0;
  }

  const guard = {
    incompleteBytes: 0,
    read(bytes: Buffer): void {
      for (let at = 0; at < bytes.length; ) {
        if (state === "body") {
          const part = Math.min(left, bytes.length - at);
          left -= part;
          at += part;
          guard.incompleteBytes += part;
          if (left === 0) end();
          continue;
        }
        const byte = bytes[at]!;
        at += 1;
        guard.incompleteBytes += 1;
        if (state === "type") {
          state = "length";
          left = 0;
          shift = 0;
          continue;
        }
        left += (byte & 0x7f) << shift;
        shift += 7;
        if (left > most || shift > 28) throw new MqttProtocolError(`a packet is larger than ${most} bytes`);
        if ((byte & 0x80) !== 0) continue;
        if (left === 0) end();
        else state = "body";
      }
    },
  };
  return guard;
}
