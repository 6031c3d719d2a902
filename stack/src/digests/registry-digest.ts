import { createHash } from "node:crypto";
import { reasonOf } from "@devicemesh/kit/observability/failure-reason";
import type { ImageReference } from "./image-references.ts";

/** An index of platforms where there is one: its digest is valid on each of them. */
const accept = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

const limitMs = 30_000;

/**
 * Asks the registry for the digest of a tag, over the distribution API, without credentials.
 * Source of the protocol: https://distribution.github.io/distribution/spec/auth/token/
 * @param hub URL of the registry of names without a host
 * @throws Error that names the image if the registry does not answer, or its answer does not have its digest.
 */
export async function readDigest(image: ImageReference, hub: string): Promise<string> {
  const { registry, repository } = placeOf(image.name, hub);
  const url = `${registry}/v2/${repository}/manifests/${image.tag}`;
  try {
    const first = await ask(url, {});
    const response = first.status === 401 ? await ask(url, await authorizationOf(first)) : first;
    if (!response.ok) throw new Error(`${url} returns ${response.status}`);
    const digest = `sha256:${createHash("sha256")
      .update(await response.bytes())
      .digest("hex")}`;
    const stated = response.headers.get("docker-content-digest");
    if (stated !== null && stated !== digest)
      throw new Error(`${url} returns other bytes than those of ${stated}`);
    return digest;
  } catch (error) {
    throw new Error(`the digest of ${image.name}:${image.tag} is unknown: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

function ask(url: string, authorization: Readonly<Record<string, string>>): Promise<Response> {
  return fetch(url, { headers: { accept, ...authorization }, signal: AbortSignal.timeout(limitMs) });
}

/** Fetches the anonymous token that a registry demands. */
async function authorizationOf({ headers }: Response): Promise<{ readonly authorization: string }> {
  const challenge = headers.get("www-authenticate") ?? "";
  const { realm, ...query } = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = "", value = ""]) => [key, value]),
  );
  if (!challenge.startsWith("Bearer ") || realm === undefined) {
    throw new Error(`the registry demands credentials: ${challenge || "401"}`);
  }
  const response = await fetch(`${realm}?${new URLSearchParams(query)}`, {
    signal: AbortSignal.timeout(limitMs),
  });
  if (!response.ok) throw new Error(`${realm} returns ${response.status}`);
  const { token, access_token: other } = (await response.json()) as { token?: string; access_token?: string };
  return { authorization: `Bearer ${token ?? other}` };
}

/** Docker's rules: a first part with a dot is a host, and the official images are in `library`. */
function placeOf(name: string, hub: string): { readonly registry: string; readonly repository: string } {
  const [host = "", ...rest] = name.split("/");
  if (rest.length > 0 && host.includes("."))
    return { registry: `https://${host}`, repository: rest.join("/") };
  return { registry: hub, repository: rest.length > 0 ? name : `library/${name}` };
}
