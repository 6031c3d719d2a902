import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";

/** A file of the dashboard, in the encodings of the build. */
export type Asset = {
  readonly type: string;
  /** A strong entity tag, in quotes. */
  readonly etag: string;
  readonly plain: Buffer;
  readonly gzip: Buffer | undefined;
  readonly brotli: Buffer | undefined;
};

const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

/**
 * Returns the built files by their path in a URL, such as `/assets/main-1a2b3c.js`; undefined if the folder has no
 * build.
 */
export function readAssets(folder: string): ReadonlyMap<string, Asset> | undefined {
  if (!existsSync(join(folder, "index.html"))) return undefined;
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && extname(entry.name) in types)
    .map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    names.map((name) => [name.slice(folder.length).replaceAll("\\", "/"), readAsset(name)] as const),
  );
}

function readAsset(name: string): Asset {
  const plain = readFileSync(name);
  const optional = (file: string) => (existsSync(file) ? readFileSync(file) : undefined);
  return {
    type: types[extname(name)] ?? "application/octet-stream",
    etag: `"${createHash("sha256").update(plain).digest("base64url").slice(0, 22)}"`,
    plain,
    gzip: optional(`${name}.gz`),
    brotli: optional(`${name}.br`),
  };
}

/** Returns the body for a client with these encodings: brotli before gzip, before the plain file. */
export function encodedFor(
  asset: Asset,
  acceptEncoding: string,
): { readonly body: Buffer; readonly encoding?: "br" | "gzip" } {
  const accepts = (name: string) =>
    new RegExp(`(^|[, ])${name}(?!;q=0(\\.0*)?(,|$| ))`, "i").test(acceptEncoding);
  if (asset.brotli && accepts("br")) return { body: asset.brotli, encoding: "br" };
  if (asset.gzip && accepts("gzip")) return { body: asset.gzip, encoding: "gzip" };
  return { body: asset.plain };
}
