import { fileURLToPath } from "node:url";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import type { Page } from "playwright-core";
import { build, preview } from "vite";

const root = fileURLToPath(new URL("../../../examples/browser", import.meta.url));

/** For tests: the page of examples/browser, built and served according to its README, at a separate origin. */
export type ServedPage = AsyncDisposable & {
  /** Such as http://127.0.0.1:40001. */
  readonly origin: string;
  /** The folder of the built files. */
  readonly folder: string;
};

/** Builds it into a separate folder and serves that at a free port. */
export async function servePage(): Promise<ServedPage> {
  await using starting = new AsyncDisposableStack();
  const folder = temporaryFolder();
  starting.defer(() => folder[Symbol.dispose]());
  const common = { root, logLevel: "warn", build: { outDir: folder.path, emptyOutDir: true } } as const;
  await build(common);
  const server = await preview({ ...common, preview: { host: "127.0.0.1", port: 0 } });
  starting.defer(() => server.close());
  const origin = new URL(server.resolvedUrls?.local[0] ?? "").origin;
  const running = starting.move();
  return { origin, folder: folder.path, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** The network activity of a page. */
export type Seen = {
  /** Versions of HTTP of answered calls, by path: "h2", "http/1.1". */
  readonly protocols: Map<string, string>;
  /** The allowed origin in responses to preflight requests, or undefined, by path. */
  readonly preflights: Map<string, string | undefined>;
  /** Console messages of the kind error. */
  readonly complaints: string[];
};

/** Records the browser's own view of the page's calls, which performance entries hide for other origins. */
export async function observe(page: Page): Promise<Seen> {
  const seen: Seen = { protocols: new Map(), preflights: new Map(), complaints: [] };
  page.on("console", (message) => {
    if (message.type() === "error") seen.complaints.push(message.text());
  });
  page.on("pageerror", (error) => seen.complaints.push(error.message));
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  session.on("Network.responseReceived", ({ type, response }) => {
    const { pathname } = new URL(response.url);
    if (type === "Preflight") seen.preflights.set(pathname, response.headers["access-control-allow-origin"]);
    else seen.protocols.set(pathname, response.protocol ?? "unknown");
  });
  return seen;
}
