import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { openCredentialFolder } from "@devicemesh/identity/certs/credential-folder";
import { makeCredentials } from "@devicemesh/identity/certs/make-credentials";
import { addresses } from "./addresses.ts";

/** A secret that is there now. */
export type MadeSecret = { readonly file: string; readonly made: boolean };

/** Passwords that have nothing to say but themselves. 32 random bytes, of letters that need no quoting anywhere. */
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
 * Sees to it that the folder has every secret that the stack mounts: passwords, the key by which the database's members
 * know each other, its connection string, and in `certs/` what `npm run certs` makes. What is there is kept, and
 * certificates that run out are made again.
 * @throws Error if the folder cannot be written.
 */
export async function makeSecrets(options: {
  readonly folder: string;
  /** Names of the front door, for its certificate. */
  readonly hosts: readonly string[];
  readonly nowMs: number;
  /** Makes new certificates and tokens also where the old ones are valid for long; the authority stays. */
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
    // MongoDB takes 6 to 1024 characters of base64.
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
      // What the generator calls the door, and what Grafana is asked by from its own node.
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
  // Members that the overlay leaves out are forgotten by the drivers once the set has told them who is in it. The
  // database is for mongo-express, which shows the one that is named here and may not look into others.
  return `mongodb://${user}:${password}@${members}/${database}?replicaSet=${replicaSet}&authSource=admin&w=majority&journal=true`;
}
