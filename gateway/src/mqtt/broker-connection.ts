import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** The address of an existing broker, and the bridge's credentials for it. */
export type BridgeTarget = {
  readonly host: string;
  readonly port: number;
  /** TLS with this CA (PEM), or with those of the system; cleartext if undefined. */
  readonly tls: { readonly ca: string | undefined } | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** The same at each start, because the broker keeps messages for this client id. */
  readonly clientId: string;
  /** The name of the shared subscription. */
  readonly group: string;
  readonly filters: readonly string[];
};

/**
 * Reads `mqtt://user:password@host:1883` or `mqtts://host:8883`.
 * @throws RangeError that names the problem, without the password.
 */
export function bridgeTargetOf(
  url: string,
  options: Pick<BridgeTarget, "clientId" | "group" | "filters"> & { readonly ca: string | undefined },
): BridgeTarget {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isTls = parsed?.protocol === "mqtts:";
  if (parsed === undefined || (parsed.protocol !== "mqtt:" && !isTls) || parsed.hostname === "") {
    throw new RangeError(
      "--mqtt-url must be mqtt://HOST:PORT or mqtts://HOST:PORT, with user:password@ if needed",
    );
  }
  const { ca, ...rest } = options;
  return {
    ...rest,
    host: parsed.hostname.replace(/^\[|\]$/g, ""),
    port: parsed.port === "" ? (isTls ? 8883 : 1883) : Number(parsed.port),
    tls: isTls ? { ca } : undefined,
    username: parsed.username === "" ? undefined : decodeURIComponent(parsed.username),
    password: parsed.password === "" ? undefined : decodeURIComponent(parsed.password),
  };
}

/** Connects. Rejects with the cause of a failure, after `timeoutMs` at the latest, or when the signal aborts. */
export function openBrokerConnection(
  { host, port, tls }: Pick<BridgeTarget, "host" | "port" | "tls">,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    // An address must not be sent as the name of the server (RFC 6066); its certificate is checked all the same.
    const named = isIP(host) === 0 ? { servername: host } : {};
    const socket =
      tls === undefined
        ? connect({ host, port })
        : connectTls({ host, port, ...named, ...(tls.ca !== undefined && { ca: tls.ca }) });
    const fail = (error: Error): void => {
      socket.destroy();
      finish();
      reject(error);
    };
    const timer = setTimeout(() => fail(new Error("no connection in time")), timeoutMs);
    const onAbort = (): void => fail(new Error("the gateway is closing"));
    function finish(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      socket.off("error", fail);
    }
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
    socket.once("error", fail);
    socket.once(tls === undefined ? "connect" : "secureConnect", () => {
      finish();
      socket.setNoDelay(true);
      socket.setKeepAlive(true, 60_000);
      resolve(socket);
    });
  });
}
