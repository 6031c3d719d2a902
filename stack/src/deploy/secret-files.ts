import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { openCredentialFolder } from "@devicemesh/identity/certs/credential-folder";
import { makeCredentials } from "@devicemesh/identity/certs/make-credentials";
import { addresses } from "./addresses.ts";

/** An existing secret. */
export type MadeSecret = { readonly file: string; readonly made: boolean };

/** Random passwords: 32 bytes, encoded with letters that need no quoting. */
const passwords = [
  "mongo_root_password",
  "mongo_password",
  "mongo_inspector_password",
  "page_token_secret",
  "spark_token",
  "grafana_password",
  "kafka_ui_password",
  "mongo_express_password",
] as const;

/**
 * Makes every secret that the stack mounts: passwords, the key that the database's members share, its connection
 * string, and in `certs/` the files of `npm run certs`. Existing secrets are kept, and certificates that expire soon
 * are renewed.
 * @throws Error if the folder cannot be written.
 */
export async function makeSecrets(options: {
  readonly folder: string;
  /** Host names of the front door, for its certificate. */
  readonly hosts: readonly string[];
  readonly nowMs: number;
  /** Renews certificates and tokens even if the old ones are valid for long; the authority stays. */
  readonly renew?: boolean;
}): Promise<readonly MadeSecret[]> {
  const { folder, hosts, nowMs, renew = false } = options;
  const secrets = openCredentialFolder(folder);
  function keep(file: string, make: () => string): MadeSecret {
    if (secrets.read(file) !== undefined) return { file, made: false };
    secrets.writePrivate(file, make());
    return { file, made: true };
  }
  const made = [
    ...passwords.map((file) => keep(file, () => randomBytes(32).toString("base64url"))),
    // MongoDB accepts 6 to 1024 characters of base64.
    keep("mongo_keyfile", () => randomBytes(512).toString("base64")),
  ];
  const urls = [
    { file: "mongodb_url", user: "devicemesh", password: "mongo_password" },
    { file: "mongodb_inspector_url", user: "inspector", password: "mongo_inspector_password" },
  ].map(({ file, user, password }): MadeSecret => {
    const url = connectionString(user, secrets.read(password) as string);
    const isNew = secrets.read(file) !== url;
    if (isNew) secrets.writePrivate(file, url);
    return { file, made: isNew };
  });
  const credentials = await makeCredentials(
    {
      out: join(folder, "certs"),
      renew,
      devices: "my-thermostat",
      deviceTokens: [],
      gateways: "demo",
      // The generator's name for the front door, and the one that Grafana uses from its own node.
      serverNames: [...new Set([...hosts, "envoy", "localhost", "127.0.0.1"])].join(","),
      trustDomain: "devicemesh",
      tokenIssuer: "devicemesh",
      tokenAudience: "devicemesh",
      validFor: 90 * 86_400_000,
    },
    { folder: openCredentialFolder(join(folder, "certs")), nowMs },
  );
  return [
    ...made,
    ...urls,
    ...credentials.flatMap(({ files, made: isNew }) =>
      files.map((file) => ({ file: `certs/${file}`, made: isNew })),
    ),
  ];
}

function connectionString(user: string, password: string): string {
  const { hosts, port, replicaSet, database } = addresses.mongo;
  const members = hosts.map((host) => `${host}:${port}`).join(",");
  // Drivers drop the members that the overlay leaves out once the set has sent them its members. The database in the
  // URL is for mongo-express, which shows only that one and may not access others.
  return `mongodb://${user}:${password}@${members}/${database}?replicaSet=${replicaSet}&authSource=admin&w=majority&journal=true`;
}
