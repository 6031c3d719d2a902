import { rmSync } from "node:fs";
import { mkdir, mkdtemp, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ensureBuilt } from "@devicemesh/web/build";
import { type LoadSpread, watchMachineLoad } from "../report/load-watch.ts";
import { type MachineFacts, machineFacts } from "../report/machine.ts";
import { startWatchServer } from "../servers/start-watch-server.ts";
import { type BenchBrowser, startBenchBrowser } from "./page-browser.ts";

/** How to run it. */
export type PageBenchSettings = {
  /** Devices of the generator; each sends a reading a second. */
  readonly devices: number;
  /** How often the page is opened to measure its first chart. */
  readonly rounds: number;
  /** For how long the CPU of each view is measured. */
  readonly viewMs: number;
  /** For how long memory is observed. */
  readonly memoryMs: number;
  readonly cache: string;
  readonly env: NodeJS.ProcessEnv;
  readonly progress: (line: string) => void;
};

/** A view under live readings. */
export type ViewUse = {
  readonly view: string;
  /** CPU time by wall time, of the page's main thread and of the whole browser. */
  readonly pageCores: number;
  readonly browserCores: number;
  /** The main thread's tasks over 50 ms, in ms of wall time. */
  readonly longTasksMs: readonly number[];
};

/** What it found. */
export type PageResult = {
  readonly kind: "page";
  readonly machine: MachineFacts;
  readonly browser: string;
  readonly load: LoadSpread;
  readonly devices: number;
  readonly viewMs: number;
  readonly memoryMs: number;
  /** JavaScript of the first view, compressed with gzip. */
  readonly scriptBytes: number;
  /** From the start of the navigation to the first chart, in ms. */
  readonly firstChartMs: readonly number[];
  /** CPU time of the page's main thread until then, in ms. */
  readonly firstChartCpuMs: readonly number[];
  readonly views: readonly ViewUse[];
  /** Bytes that the page's scripts keep, in order of time, at equal distances. */
  readonly heapBytes: readonly number[];
};

const web = fileURLToPath(new URL("../../../web/dist/", import.meta.url));
/** After opening a view, before its use is measured: it has its data and its code is compiled. */
const settleMs = 10_000;
const heapSamples = 11;

/** Opens the dashboard of the one process under live readings in Chromium, and measures what it uses. */
export async function runPageBench(settings: PageBenchSettings): Promise<PageResult> {
  const { devices, rounds, viewMs, memoryMs, cache, env, progress } = settings;
  const load = watchMachineLoad();
  await ensureBuilt();
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, "page-"));
  try {
    await using server = await startWatchServer(folder, devices);
    await using browser = await startBenchBrowser(env);
    const address = `http://127.0.0.1:${server.port}/`;
    progress("warming up ...");
    await firstChart(browser, address);
    await delay(settleMs);
    const firstChartMs: number[] = [];
    const firstChartCpuMs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const { wallMs, cpuMs } = await firstChart(browser, address);
      progress(`first chart after ${Math.round(wallMs)} ms, ${Math.round(cpuMs)} ms of CPU`);
      firstChartMs.push(wallMs);
      firstChartCpuMs.push(cpuMs);
    }
    const views: ViewUse[] = [];
    for (const view of ["overview", "explore", "live"]) {
      const use = await measureView(browser, { address, view, viewMs });
      progress(
        `${view}: ${use.browserCores.toFixed(3)} cores, ${use.longTasksMs.length} tasks over 50 ms in ${viewMs / 1000} s`,
      );
      views.push(use);
    }
    const heapBytes = await observeHeap(browser, { address, memoryMs, progress });
    return {
      kind: "page",
      machine: machineFacts(Date.now()),
      browser: `Chromium ${browser.version}`,
      load: load.stop(),
      ...{ devices, viewMs, memoryMs, scriptBytes: await firstScripts() },
      ...{ firstChartMs, firstChartCpuMs, views, heapBytes },
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Opens the page and gives when its first chart is there, by the page's own clock, and its CPU time until then. */
async function firstChart(
  browser: BenchBrowser,
  address: string,
): Promise<{ readonly wallMs: number; readonly cpuMs: number }> {
  await using opened = await browser.open(address);
  const handle = await opened.page.waitForFunction(
    () => document.querySelector(".sensor canvas") && performance.now(),
    undefined,
    { polling: "raf", timeout: 60_000 },
  );
  const { pageMs } = await opened.cpu();
  return { wallMs: (await handle.jsonValue()) || 0, cpuMs: pageMs };
}

async function measureView(
  browser: BenchBrowser,
  { address, view, viewMs }: { readonly address: string; readonly view: string; readonly viewMs: number },
): Promise<ViewUse> {
  await using opened = await browser.open(`${address}#/${view}`);
  await opened.page.locator("canvas").first().waitFor({ timeout: 60_000 });
  await delay(settleMs);
  const earlier = (await opened.longTasksMs()).length;
  const [before, startedMs] = [await opened.cpu(), performance.now()];
  await delay(viewMs);
  const after = await opened.cpu();
  const wallMs = performance.now() - startedMs;
  return {
    view,
    pageCores: (after.pageMs - before.pageMs) / wallMs,
    browserCores: (after.browserMs - before.browserMs) / wallMs,
    longTasksMs: (await opened.longTasksMs()).slice(earlier),
  };
}

async function observeHeap(
  browser: BenchBrowser,
  {
    address,
    memoryMs,
    progress,
  }: { readonly address: string } & Pick<PageBenchSettings, "memoryMs" | "progress">,
): Promise<number[]> {
  await using opened = await browser.open(`${address}#/live`);
  await opened.page.locator("canvas").first().waitFor({ timeout: 60_000 });
  await delay(settleMs);
  const found = [await opened.heapBytes()];
  while (found.length < heapSamples) {
    await delay(memoryMs / (heapSamples - 1));
    found.push(await opened.heapBytes());
    progress(`memory: ${((found.at(-1) ?? 0) / 2 ** 20).toFixed(1)} MiB`);
  }
  return found;
}

/** The JavaScript that the page names in its HTML, as it is sent with gzip. */
async function firstScripts(): Promise<number> {
  const html = await readFile(join(web, "index.html"), "utf8");
  const names = new Set([...html.matchAll(/assets\/[\w.-]+\.js/g)].map(([name]) => name));
  const sizes = [...names].map(async (name) => (await stat(join(web, `${name}.gz`))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
