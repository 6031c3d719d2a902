import { isLoopbackAddress, networkOf } from "./client-network.ts";

/** The number of connections of each client, by its network. */
export type AddressCounts = {
  /** Counts one more connection of an address; returns undefined if the limit is reached. */
  enter(address: string): (() => void) | undefined;
};

/** Creates a count without connections. */
export function createAddressCounts(limits: {
  readonly addressConnectionsMax: number;
  readonly loopbackConnectionsMax: number;
}): AddressCounts {
  const counts = new Map<string, number>();
  return {
    enter(address) {
      const isLocal = isLoopbackAddress(address);
      const network = isLocal ? "loopback" : networkOf(address);
      const count = counts.get(network) ?? 0;
      if (count >= (isLocal ? limits.loopbackConnectionsMax : limits.addressConnectionsMax)) return undefined;
      counts.set(network, count + 1);
      return () => {
        const left = (counts.get(network) ?? 1) - 1;
        if (left === 0) counts.delete(network);
        else counts.set(network, left);
      };
    },
  };
}
