import { readFileSync } from "node:fs";
import type { Setting } from "@devicemesh/kit/settings/setting-schema";
import { SettingsError } from "@devicemesh/kit/settings/settings-error";
import { type ChannelCredentials, credentials } from "@grpc/grpc-js";

/** The trust and the credentials of a client of ingest. PEM. */
export type IngestTls = {
  /** The certificate authorities that are trusted for ingest. */
  readonly ca: string;
  /** A gateway's certificate that covers the devices; none if ingest requires none. */
  readonly client?: { readonly certificate: string; readonly key: string } | undefined;
};

/** Flags of every command that sends to ingest; their environment variables begin with the prefix. */
export function ingestTlsSettingsOf(prefix: string) {
  return {
    ca: {
      flag: "--ca",
      env: `${prefix}CA`,
      kind: "string",
      placeholder: "FILE",
      description: "CA (PEM) of ingest; cleartext without it.",
    },
    certificate: {
      flag: "--cert",
      env: `${prefix}CERT`,
      kind: "string",
      placeholder: "FILE",
      description:
        "Client certificate (PEM) for ingest: a gateway certificate whose prefix covers the devices.",
    },
    key: {
      flag: "--key",
      env: `${prefix}KEY`,
      kind: "string",
      placeholder: "FILE",
      description: "Private key (PEM) of that certificate.",
    },
  } as const satisfies Readonly<Record<string, Setting>>;
}

/** The same for the generator. */
export const ingestTlsSettings = ingestTlsSettingsOf("DEVICEMESH_GENERATOR_");

/** The files of `ingestTlsSettings`. */
export type IngestTlsFiles = {
  readonly ca: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
};

/**
 * Reads the files; undefined without TLS.
 * @throws SettingsError if they do not match or are unreadable.
 */
export function readIngestTls({ ca, certificate, key }: IngestTlsFiles): IngestTls | undefined {
  if ((certificate === undefined) !== (key === undefined)) {
    throw new SettingsError("the client certificate for ingest and its key must be set together");
  }
  if (ca === undefined) {
    if (certificate === undefined) return undefined;
    throw new SettingsError("a client certificate for ingest also needs the CA of ingest");
  }
  const client = certificate && key ? { certificate: read(certificate), key: read(key) } : undefined;
  return { ca: read(ca), client };
}

/** The same for grpc-js. */
export function channelCredentials(tls: IngestTls | undefined): ChannelCredentials {
  if (tls === undefined) return credentials.createInsecure();
  const { ca, client } = tls;
  return client === undefined
    ? credentials.createSsl(Buffer.from(ca))
    : credentials.createSsl(Buffer.from(ca), Buffer.from(client.key), Buffer.from(client.certificate));
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new SettingsError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
