import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { authorityFiles } from "@devicemesh/identity/certs/credential-plan";

/** The files of `npm run certs` that a mesh needs: absolute paths. */
export type MeshCredentials = {
  readonly folder: string;
  readonly authority: string;
  readonly server: { readonly certificate: string; readonly key: string };
  readonly jwks: string;
  readonly denyList: string;
  /** The generator's credentials: it simulates devices whose ids begin with the prefix. */
  readonly gateway: { readonly prefix: string; readonly certificate: string; readonly key: string };
};

/**
 * Finds the credentials in a folder.
 * @throws RangeError that names the missing files and how to make them.
 */
export function findCredentials(given: string): MeshCredentials {
  const folder = resolve(given);
  const remedy = `npm run certs -- --out ${given} makes what is missing`;
  const need = (name: string): string => {
    const path = join(folder, name);
    if (!existsSync(path)) throw new RangeError(`--certs ${given} has no ${name}: ${remedy}`);
    return path;
  };
  const authority = need(authorityFiles.certificate);
  const [gateway] = readdirSync(folder)
    .flatMap((name) => /^gateway-(.+)(?<!-key)\.pem$/.exec(name)?.[1] ?? [])
    .sort();
  if (gateway === undefined) {
    throw new RangeError(`--certs ${given} has no gateway, which the generator needs: ${remedy}`);
  }
  return {
    folder,
    authority,
    server: { certificate: need("server.pem"), key: need("server-key.pem") },
    jwks: need(authorityFiles.publicKeys),
    denyList: need(authorityFiles.denyList),
    gateway: {
      // A colon is allowed in an id, but not in every file system.
      prefix: `${gateway.replaceAll("%3A", ":")}-`,
      certificate: need(`gateway-${gateway}.pem`),
      key: need(`gateway-${gateway}-key.pem`),
    },
  };
}
