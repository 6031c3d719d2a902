import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@devicemesh/kit/testing";
import { type BrowserContext, chromium } from "playwright-core";
import { findCertutil, findChromium } from "../../../scripts/tools.ts";

/** Against traffic of its own, and for a machine without a screen, a GPU or a user namespace. */
const flags = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

/** For tests: Chromium with a profile of its own. */
export type Browser = AsyncDisposable & { readonly context: BrowserContext };

/**
 * Starts it. With `authority`, a PEM file, it trusts that authority as it does when a user imports it: by its
 * certificate database, and nothing about certificates is ignored.
 * @throws Error that says how to install what is missing.
 */
export async function startBrowser({
  authority,
  colorScheme = "light",
}: {
  readonly authority?: string;
  readonly colorScheme?: "light" | "dark";
} = {}): Promise<Browser> {
  await using starting = new AsyncDisposableStack();
  const home = temporaryFolder();
  starting.defer(() => home[Symbol.dispose]());
  if (authority !== undefined) trust(home.path, authority);
  const context = await chromium.launchPersistentContext(join(home.path, "profile"), {
    executablePath: findChromium(),
    args: flags,
    env: { HOME: home.path, PATH: "/usr/bin:/bin" },
    colorScheme,
    viewport: { width: 1060, height: 900 },
  });
  starting.defer(() => context.close());
  const running = starting.move();
  return { context, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

function trust(home: string, authority: string): void {
  const folder = join(home, ".pki/nssdb");
  mkdirSync(folder, { recursive: true });
  const database = ["-d", `sql:${folder}`];
  const steps = [
    ["-N", ...database, "--empty-password"],
    ["-A", ...database, "-n", "Development CA", "-t", "C,,", "-i", authority],
  ];
  for (const step of steps) {
    const { status, stderr } = spawnSync(findCertutil(), step, { encoding: "utf8" });
    if (status !== 0) throw new Error(`certutil ${step[0]}: ${stderr}`);
  }
}
