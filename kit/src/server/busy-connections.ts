/** Which connections have something running on them, by the `address:port` of their clients. */
export type BusyConnections = {
  has(peer: string): boolean;
  /** Something begins; what is returned is called at its end, and has no effect a second time. */
  begin(peer: string): () => void;
};

/** None yet. */
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
