/** The busy connections, by the `address:port` of their clients. */
export type BusyConnections = {
  has(peer: string): boolean;
  /** Records the start of work; the returned function records its end, and has no effect a second time. */
  begin(peer: string): () => void;
};

/** Creates an empty set. */
export function createBusyConnections(): BusyConnections {
  const running = new Map<string, number>();
  return {
    has: (peer) => running.has(peer),
    begin(peer) {
      running.set(peer, (running.get(peer) ?? 0) + 1);
      let isOpen = true;
      return () => {
        if (!isOpen) return;
        isOpen = false;
        const left = (running.get(peer) ?? 1) - 1;
        if (left === 0) running.delete(peer);
        else running.set(peer, left);
      };
    },
  };
}
