import { reasonCodes } from "./reason-codes.ts";

/** The bounds of packets that have begun and not ended. */
export type IncompletePacketLimits = {
  /** Bytes of all connections. */
  readonly incompleteBytesMax: number;
  /** How long a packet may take from its first byte to its last, in ms. */
  readonly packetTimeoutMs: number;
};

/** The incomplete packets in the memory of a broker. */
export type IncompletePackets = {
  /**
   * Begins to count a connection. `reject` is called, with a reason code, if there are too many bytes or if a packet takes
   * too long; time while the broker itself does not read the connection does not count.
   */
  open(connection: { isPaused(): boolean; reject(reasonCode: number): void }): {
    /** A chunk has arrived, and leaves this number of bytes of an incomplete packet. */
    received(chunkBytes: number, incompleteBytes: number): void;
    /** The connection has ended. */
    end(): void;
  };
};

/** Creates the count without connections. */
export function createIncompletePackets(limits: IncompletePacketLimits): IncompletePackets {
  let bytes = 0;

  return {
    open({ isPaused, reject }) {
      let own = 0;
      let timer: NodeJS.Timeout | undefined;

      function begin(): void {
        timer = setTimeout(
          () => (isPaused() ? begin() : reject(reasonCodes.unspecified)),
          limits.packetTimeoutMs,
        );
      }
      function count(incompleteBytes: number): void {
        bytes += incompleteBytes - own;
        own = incompleteBytes;
      }
      return {
        received(chunkBytes, incompleteBytes) {
          count(incompleteBytes);
          // What is left began with this chunk at the latest.
          if (incompleteBytes <= chunkBytes) {
            clearTimeout(timer);
            if (incompleteBytes > 0) begin();
          }
          if (bytes > limits.incompleteBytesMax) reject(reasonCodes.quotaExceeded);
        },
        end() {
          clearTimeout(timer);
          count(0);
        },
      };
    },
  };
}
