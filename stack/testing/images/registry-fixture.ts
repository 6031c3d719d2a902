import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A registry on 127.0.0.1 that demands a token, as Docker Hub does. */
export type TestRegistry = AsyncDisposable & {
  readonly url: string;
  /** The requests for manifests with a token, as `repository:tag`. */
  readonly asked: readonly string[];
};

/** The digest of a manifest. */
export const digestOf = (manifest: string): string =>
  `sha256:${createHash("sha256").update(manifest).digest("hex")}`;

/** Starts one with these manifests, by `repository:tag`. `lie` makes it state another digest. */
export async function startRegistry(
  manifests: Readonly<Record<string, string>>,
  { lie = false }: { readonly lie?: boolean } = {},
): Promise<TestRegistry> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", url());
    if (pathname === "/token") {
      const scope = searchParams.get("scope");
      response.end(JSON.stringify({ token: `for ${scope} of ${searchParams.get("service")}` }));
      return;
    }
    const [, repository = "", tag = ""] = /^\/v2\/(.+)\/manifests\/(.+)$/.exec(pathname) ?? [];
    const scope = `repository:${repository}:pull`;
    if (request.headers.authorization !== `Bearer for ${scope} of the registry`) {
      const challenge = `Bearer realm="${url()}/token",service="the registry",scope="${scope}"`;
      response.writeHead(401, { "www-authenticate": challenge }).end();
      return;
    }
    asked.push(`${repository}:${tag}`);
    const manifest = manifests[`${repository}:${tag}`];
    const isIndexWanted = request.headers.accept?.includes("application/vnd.oci.image.index.v1+json");
    if (manifest === undefined || !isIndexWanted) {
      response.writeHead(404).end();
      return;
    }
    response
      .writeHead(200, { "docker-content-digest": lie ? digestOf("other") : digestOf(manifest) })
      .end(manifest);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url(),
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
