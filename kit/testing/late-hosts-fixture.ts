import { once } from "node:events";
import { createRequire } from "node:module";
import { type AddressInfo, createServer } from "node:net";

/** The function with which clients look up a host: it must be replaced in the object where they find it. */
const dns = createRequire(import.meta.url)("node:dns") as typeof import("node:dns");

/** A host name that does not resolve until it appears; from then on it is 127.0.0.1. */
export type LateHost = Disposable & { readonly name: string; appear(): void };

/** For tests: a host whose name appears later, like that of a container. For this process only. */
export function lateHost(name: string): LateHost {
  let isThere = false;
  const { lookup } = dns;
  const lookupPromise = dns.promises.lookup;
  const here = { address: "127.0.0.1", family: 4 };

  function missing(): NodeJS.ErrnoException {
    const error: NodeJS.ErrnoException = new Error(`getaddrinfo ENOTFOUND ${name}`);
    return Object.assign(error, { code: "ENOTFOUND", syscall: "getaddrinfo", hostname: name });
  }
  const replaced = (host: string, ...rest: unknown[]): void => {
    if (host !== name) return void Reflect.apply(lookup, dns, [host, ...rest]);
    const done = rest.at(-1) as (error: Error | null, address?: unknown, family?: number) => void;
    const isAll = (rest[0] as { readonly all?: boolean } | undefined)?.all === true;
    setImmediate(() => {
      if (!isThere) done(missing());
      else if (isAll) done(null, [here]);
      else done(null, here.address, here.family);
    });
  };
  Object.assign(dns, { lookup: replaced });
  Object.assign(dns.promises, {
    async lookup(host: string, options?: { readonly all?: boolean }) {
      if (host !== name) return Reflect.apply(lookupPromise, dns.promises, [host, options]);
      if (!isThere) throw missing();
      return options?.all ? [here] : here;
    },
  });
  return {
    name,
    appear() {
      isThere = true;
    },
    [Symbol.dispose]() {
      Object.assign(dns, { lookup });
      Object.assign(dns.promises, { lookup: lookupPromise });
    },
  };
}

/** For tests: a port of 127.0.0.1 on which no server listens. */
export async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
