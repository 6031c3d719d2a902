import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { findBrowserTools } from "@devicemesh/engines/testing/host-tools";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { type BrowserContext, chromium } from "playwright-core";

/** Flags without background traffic, for a machine without a screen, a GPU or a user namespace. */
const flags = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

/** The browser; these tests are left out if it is missing (scripts/optional-tools.ts). */
const tools = findBrowserTools();

/** For tests: Chromium with a separate profile. */
export type Browser = AsyncDisposable & { readonly context: BrowserContext };

/**
 * Starts it. With `authority`, a PEM file, it trusts that authority like after an import by a user: through its
 * certificate database, without ignoring certificate errors.
 * @throws Error if Chromium or certutil is missing.
 */
export async function startBrowser({
  authority,
  colorScheme = "light",
}: {
  readonly authority?: string;
  readonly colorScheme?: "light" | "dark";
} = {}): Promise<Browser> {
  if (tools === undefined) throw new Error("there is no Chromium, or no certutil");
  await using starting = new AsyncDisposableStack();
  const home = temporaryFolder();
  starting.defer(() => home[Symbol.dispose]());
  if (authority !== undefined) trust(tools.certutil, home.path, authority);
  const context = await chromium.launchPersistentContext(join(home.path, "profile"), {
    executablePath: tools.chromium,
    args: flags,
    env: { HOME: home.path, PATH: "/usr/bin:/bin" },
    colorScheme,
    viewport: { width: 1060, height: 900 },
  });
  starting.defer(() => context.close());
  const running = starting.move();
  return { context, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

function trust(certutil: string, home: string, authority: string): void {
  const folder = join(home, ".pki/nssdb");
  mkdirSync(folder, { recursive: true });
  const database = ["-d", `sql:${folder}`];
  const steps = [
    ["-N", ...database, "--empty-password"],
    ["-A", ...database, "-n", "Development CA", "-t", "C,,", "-i", authority],
  ];
  for (const step of steps) {
    const { status, stderr } = spawnSync(certutil, step, { encoding: "utf8" });
    if (status !== 0) throw new Error(`certutil ${step[0]}: ${stderr}`);
  }
}
