import { freePorts } from "@devicemesh/engines/plans/free-ports";
import { createTcpProxy } from "@devicemesh/kit/testing/tcp-proxy";

/** An address without a server until it appears; from then on it forwards to a server. */
export type LateAddress = AsyncDisposable & {
  /** host:port. */
  readonly address: string;
  appear(): Promise<void>;
};

/** Reserves a port in front of the server at `target` (host:port). */
export async function lateAddress(target: string): Promise<LateAddress> {
  const { hostname, port: targetPort } = new URL(`tcp://${target}`);
  const [port = 0] = await freePorts(1);
  const proxy = createTcpProxy({ hostname, port: Number(targetPort) });
  return {
    address: `127.0.0.1:${port}`,
    async appear() {
      await proxy.listen(port);
    },
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  };
}
