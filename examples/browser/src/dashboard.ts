import { createChart } from "./chart.ts";
import { element, found } from "./element.ts";
import { formatCoverage, formatTime } from "./format.ts";
import type { Mesh } from "./mesh.ts";
import { codeName, showProblem } from "./show-problem.ts";
import { showFigures, showTotals, showWindows } from "./tables.ts";
import { delay, type Series, type Window, watchWindows } from "./watch-windows.ts";

const windowsMax = 60;
/** Shortest interval between requests for totals, while a watch reports changes. */
const totalsEveryMs = 2000;

/** The page's figures. */
export type Dashboard = {
  /** Queries this mesh from now on, for these devices; none means all. */
  connect(mesh: Mesh, deviceIds: readonly string[]): void;
};

/** Finds its elements in the page, and fills them with the answers of a mesh. */
export function createDashboard(): Dashboard {
  const [state, problem] = [found("state", HTMLElement), found("problem", HTMLElement)];
  const [live, all] = [found("live", HTMLElement), found("all", HTMLElement)];
  const [title, newest] = [found("live-title", HTMLElement), found("newest", HTMLElement)];
  const bucket = found("bucket", HTMLSelectElement);
  const [totals, table] = [found("totals", HTMLTableElement), found("windows", HTMLTableElement)];
  let windows: readonly Window[] = [];
  const chart = createChart(found("chart", HTMLElement), { onChosen: showWindow });
  let mesh: Mesh | undefined;
  let deviceIds: readonly string[] = [];
  let chosen: Series | undefined;
  let connection = new AbortController();
  let watching = new AbortController();
  let totalsAskedMs = 0;

  function report(kind: "idle" | "waiting" | "live" | "failed", text: string): void {
    state.dataset.state = kind;
    if (state.textContent !== text) state.textContent = text;
  }
  function fail(error: unknown): void {
    showProblem(problem, error);
    report("failed", "not connected");
  }
  function showWindow(window = windows.at(-1)): void {
    const bucketMs = Number(bucket.value) * 1000;
    showFigures(newest, window, window ? `from ${formatTime(window.startMs, bucketMs)}` : "");
  }

  /** The unary call. */
  async function askTotals(from: Mesh, signal: AbortSignal): Promise<void> {
    totalsAskedMs = Date.now();
    // The first page: the table shows no more.
    const { rows, coverage, nextPageToken } = await from.getAggregates(
      { deviceIds: [...deviceIds] },
      { signal },
    );
    chosen = rows.find((row) => isSame(row, chosen)) ?? rows[0];
    showTotals(totals, rows, { chosen, onChoose: choose, goesOn: nextPageToken !== "" });
    found("totals-coverage", HTMLElement).textContent = formatCoverage(coverage);
    all.hidden = rows.length === 0;
  }

  /** The server stream. */
  async function watch(from: Mesh, series: Series): Promise<void> {
    watching.abort();
    watching = new AbortController();
    const { signal } = watching;
    const bucketMs = Number(bucket.value) * 1000;
    const name = `${series.deviceId}, ${series.sensor}`;
    title.replaceChildren(series.deviceId, " ", element("span", { class: "unit" }, series.sensor));
    live.hidden = false;
    report("waiting", "connecting …");
    await watchWindows(from, {
      series,
      bucketMs,
      windowsMax,
      signal,
      onWindows(next, coverage) {
        windows = next;
        report("live", "live");
        showProblem(problem, undefined);
        const unit = windows.at(-1)?.row.unit ?? "";
        chart.show({ title: name, unit, spanMs: windowsMax * bucketMs, windows });
        showWindows(table, windows, bucketMs);
        found("coverage", HTMLElement).textContent = formatCoverage(coverage);
        if (Date.now() - totalsAskedMs > totalsEveryMs) askTotals(from, signal).catch(failUnless(signal));
      },
      onBroken(error, retryMs) {
        const why = error
          ? `${codeName(error.code)}: ${error.rawMessage}`
          : "the server has ended the stream";
        report("waiting", `${why}; again in ${retryMs / 1000} s`);
      },
    }).catch(failUnless(signal));
  }
  const failUnless = (signal: AbortSignal) => (error: unknown) => {
    if (!signal.aborted) fail(error);
  };

  function choose(series: Series): void {
    chosen = series;
    for (const button of totals.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", `${button.id === `${series.deviceId}|${series.sensor}`}`);
    }
    if (mesh) void watch(mesh, series);
  }
  bucket.addEventListener("change", () => {
    if (chosen) choose(chosen);
  });

  async function begin(from: Mesh, signal: AbortSignal): Promise<void> {
    report("waiting", "connecting …");
    await askTotals(from, signal);
    while (!chosen) {
      report("waiting", "no readings yet; asking again");
      await delay(totalsEveryMs, signal);
      if (signal.aborted) return;
      await askTotals(from, signal);
    }
    await watch(from, chosen);
  }
  return {
    connect(next, ids) {
      connection.abort();
      watching.abort();
      connection = new AbortController();
      [mesh, deviceIds] = [next, ids];
      showProblem(problem, undefined);
      [live.hidden, all.hidden] = [true, true];
      begin(next, connection.signal).catch(failUnless(connection.signal));
    },
  };
}

function isSame(one: Series, other: Series | undefined): boolean {
  return one.deviceId === other?.deviceId && one.sensor === other.sensor;
}
