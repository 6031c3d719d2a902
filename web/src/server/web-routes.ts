import { fileURLToPath } from "node:url";
import type { HttpRoute } from "@devicemesh/kit/server/http-routes";
import type { OnePortRequest, OnePortResponse } from "@devicemesh/kit/server/one-port-server";
import { type Asset, encodedFor, readAssets } from "./assets.ts";
import { callsOf, type WebFacts } from "./calls.ts";
import { type LatestReadings, latestPage } from "./latest-page.ts";

/** The dependencies of the dashboard's routes. */
export type WebOptions = {
  /** Called for each response, because ports are known only once they are bound. */
  facts(): WebFacts;
  /** Reads the latest values for the page without JavaScript; left out if calls need a token. */
  readonly readLatest?: ((signal: AbortSignal) => Promise<LatestReadings>) | undefined;
  /** The folder of the build; `web/dist` by default. */
  readonly folder?: string | undefined;
};

/** The location of the build in `npm start` and in the service image. */
export const distFolder = fileURLToPath(new URL("../../dist", import.meta.url)).replace(/\/$/, "");

/** The page loads and calls only its own origin. Inline scripts and styles are not allowed. */
const policy = [
  ...["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"],
  ...["img-src 'self' data:", "font-src 'self'", "base-uri 'none'", "form-action 'none'"],
  "frame-ancestors 'none'",
].join("; ");

const security = {
  "content-security-policy": policy,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
};

/** The names of hashed files change with their contents. */
const forever = "public, max-age=31536000, immutable";
const readLimitMs = 5000;

/**
 * The dashboard: `/` and `/assets/*` (the build, compressed, with entity tags), `/latest` (a table for browsers
 * without JavaScript) and `/facts.json` (addresses for commands). Without a build, `/` is the table with a notice.
 */
export function webRoutes({ facts, readLatest, folder = distFolder }: WebOptions): HttpRoute[] {
  let assets: ReadonlyMap<string, Asset> | undefined;
  const built = (): ReadonlyMap<string, Asset> | undefined => {
    assets ??= readAssets(folder);
    return assets;
  };

  async function sendLatest(response: OnePortResponse, notice?: string): Promise<void> {
    const latest = await readLatest?.(AbortSignal.timeout(readLimitMs)).catch(() => undefined);
    const reason = readLatest
      ? "The latest values are unavailable: try again in a moment."
      : "The latest values need a token: sign in on the dashboard.";
    const body = latestPage({ latest, notice: notice ?? (latest === undefined ? reason : undefined) });
    send(
      response,
      200,
      { ...security, "content-type": "text/html; charset=utf-8", "cache-control": "no-store" },
      body,
    );
  }
  function sendAsset(
    request: OnePortRequest,
    response: OnePortResponse,
    asset: Asset,
    caching: string,
  ): void {
    const headers = { ...security, etag: asset.etag, "cache-control": caching, vary: "accept-encoding" };
    const known = String(request.headers["if-none-match"] ?? "");
    if (known.split(",").some((tag) => tag.trim().replace(/^W\//, "") === asset.etag)) {
      send(response, 304, headers);
      return;
    }
    const { body, encoding } = encodedFor(asset, String(request.headers["accept-encoding"] ?? ""));
    const encoded = encoding && { "content-encoding": encoding };
    send(response, 200, { ...headers, "content-type": asset.type, ...encoded }, body);
  }
  async function sendIndex(request: OnePortRequest, response: OnePortResponse): Promise<void> {
    const index = built()?.get("/index.html");
    if (index) sendAsset(request, response, index, "no-cache");
    else
      await sendLatest(
        response,
        "The dashboard is not built: npm start builds it, and so does npm run build:web.",
      );
  }
  return [
    { method: "GET", path: "/", handle: sendIndex },
    { method: "GET", path: "/index.html", handle: sendIndex },
    {
      method: "GET",
      path: "/assets/*",
      handle(request, response, url) {
        const asset = built()?.get(url.pathname);
        if (asset) sendAsset(request, response, asset, forever);
        else
          send(
            response,
            404,
            { ...security, "content-type": "text/plain; charset=utf-8" },
            "there is no such file\n",
          );
      },
    },
    { method: "GET", path: "/latest", handle: (_, response) => sendLatest(response) },
    {
      method: "GET",
      path: "/facts.json",
      handle(request, response) {
        const { data, dataKind, signIn = false, sampleYear = false, imports = false } = facts();
        const body = JSON.stringify({
          data,
          dataKind,
          signIn,
          sampleYear,
          imports,
          calls: callsOf(facts(), request.headers),
        });
        send(response, 200, { ...security, "content-type": types.json, "cache-control": "no-store" }, body);
      },
    },
  ];
}

const types = { json: "application/json; charset=utf-8" } as const;

function send(
  response: OnePortResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body?: string | Buffer,
): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (body !== undefined) response.setHeader("content-length", Buffer.byteLength(body));
  // The two kinds of response share this method, with different return types.
  (response.end as (body?: string | Buffer) => void).call(response, body);
}
