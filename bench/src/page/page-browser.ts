import { accessSync, constants, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { type BrowserContext, type CDPSession, chromium, type Page } from "playwright-core";

/** Chromium without traffic of its own, for a machine without a screen or GPU: it draws in software. */
const flags = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--mute-audio"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];
const programs = ["chromium", "chromium-browser", "google-chrome"];

/** The CPU time of a browser, in ms. */
export type BrowserCpu = {
  /** Of the main thread of the page. */
  readonly pageMs: number;
  /** Of all processes of the browser. */
  readonly browserMs: number;
};

/** A browser with an empty profile. */
export type BenchBrowser = AsyncDisposable & {
  readonly version: string;
  open(address: string): Promise<MeasuredPage>;
};

/** A page whose use of CPU and memory is measured. */
export type MeasuredPage = AsyncDisposable & {
  readonly page: Page;
  cpu(): Promise<BrowserCpu>;
  /** Bytes that the page's scripts keep, after a garbage collection. */
  heapBytes(): Promise<number>;
  /** The durations of the main thread's tasks over 50 ms so far, in ms of wall time. */
  longTasksMs(): Promise<readonly number[]>;
};

/**
 * Starts Chromium.
 * @throws Error if it is not on the PATH.
 */
export async function startBenchBrowser(env: NodeJS.ProcessEnv): Promise<BenchBrowser> {
  const home = await mkdtemp(join(tmpdir(), "bench-browser-"));
  const context = await chromium.launchPersistentContext(home, {
    executablePath: findChromium(env.PATH ?? ""),
    args: flags,
    viewport: { width: 1440, height: 900 },
  });
  const version = context.browser()?.version() ?? "";
  return {
    version,
    open: (address) => openMeasured(context, address),
    async [Symbol.asyncDispose]() {
      await context.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

async function openMeasured(context: BrowserContext, address: string): Promise<MeasuredPage> {
  const page = await context.newPage();
  const ofPage = await context.newCDPSession(page);
  const browser = context.browser();
  if (!browser) throw new Error("the browser has no session of its own");
  const ofBrowser = await browser.newBrowserCDPSession();
  await ofPage.send("Performance.enable");
  await page.addInitScript(() => {
    const tasks: number[] = [];
    Object.assign(globalThis, { longTasks: tasks });
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) tasks.push(duration);
    }).observe({ type: "longtask", buffered: true });
  });
  await page.goto(address);
  return {
    page,
    async cpu() {
      const { processInfo } = await ofBrowser.send("SystemInfo.getProcessInfo");
      const browserMs = processInfo.reduce((sum, { cpuTime }) => sum + cpuTime * 1000, 0);
      return { pageMs: (await metric(ofPage, "ThreadTime")) * 1000, browserMs };
    },
    async heapBytes() {
      await ofPage.send("HeapProfiler.collectGarbage");
      return metric(ofPage, "JSHeapUsedSize");
    },
    longTasksMs: () =>
      page.evaluate(() => [...(globalThis as unknown as { longTasks: readonly number[] }).longTasks]),
    async [Symbol.asyncDispose]() {
      await ofBrowser.detach();
      await page.close();
    },
  };
}

async function metric(session: CDPSession, wanted: string): Promise<number> {
  const { metrics } = await session.send("Performance.getMetrics");
  const found = metrics.find(({ name }) => name === wanted);
  if (!found) throw new Error(`this browser does not measure ${wanted}`);
  return found.value;
}

function findChromium(path: string): string {
  for (const program of programs) {
    for (const folder of path.split(delimiter)) {
      try {
        accessSync(join(folder, program), constants.X_OK);
        return join(folder, program);
      } catch {
        // The next folder may have it.
      }
    }
  }
  throw new Error("the page bench needs Chromium on the PATH (Debian: chromium)");
}
