import { barChartSvg } from "../report/chart.ts";
import { figure, markdownTable, spreadText } from "../report/figures.ts";
import { machineText } from "../report/machine.ts";
import type { Report } from "../report/report.ts";
import { flameGraphSvg } from "./flame-graph.ts";
import { otherPart, partOfFrame, sharesByPart } from "./parts/part.ts";
import { type PathTexts, pathTexts } from "./path-texts.ts";
import { hottest, type Share } from "./profilers/stacks.ts";
import type { PathName, ProfiledRun, ProfilesResult } from "./profiles-bench.ts";

/** A run, as figures. */
type RunFigures = {
  readonly commit: string;
  readonly units: number;
  readonly cpuMs: number;
  readonly microsPerUnit: number;
  /** Shares of CPU time. */
  readonly parts: readonly Share[];
  readonly hottest: readonly Share[];
};

type PathFigures = {
  readonly name: PathName;
  readonly now: RunFigures;
  readonly before: RunFigures | undefined;
};

const hottestCount = 10;
/** A part is named in the text if it has at least this share. */
const namedShare = 0.05;
const namedParts = 4;
const listFormat = new Intl.ListFormat("en-GB");

/** The report: for each path a flame graph of each run, a table of parts, the hottest functions, and what was changed. */
export function profilesReport(result: ProfilesResult): Report {
  const paths = result.paths.map(({ name, now, before }): PathFigures => {
    const { parts } = pathTexts[name];
    return { name, now: figuresOf(now, parts), before: before && figuresOf(before, parts) };
  });
  return {
    name: "profiles",
    markdown: markdown(result, paths),
    json: { kind: result.kind, machine: result.machine, load: result.load, readings: result.readings, paths },
    svg: barChartSvg({
      title: "CPU time of the hot paths",
      subtitle: `one run of each, under a profiler; ${result.machine.cpu}, ${result.machine.day}`,
      axis: "µs of CPU a reading, row or answer (logarithmic)",
      bars: paths.flatMap(({ name, now, before }) => [
        ...(before ? [bar(`${pathTexts[name].unitText}, before`, before, false)] : []),
        bar(pathTexts[name].unitText, now, true),
      ]),
    }),
    pictures: Object.fromEntries(
      result.paths.flatMap(({ name, now, before }) => [
        ...(before ? [[pictureName(name, true), graph(result, name, before)]] : []),
        [pictureName(name, false), graph(result, name, now)],
      ]),
    ),
    targets: [],
  };
}

function figuresOf({ commit, units, profile }: ProfiledRun, parts: PathTexts["parts"]): RunFigures {
  return {
    commit,
    units,
    cpuMs: profile.cpuMs,
    microsPerUnit: (profile.cpuMs * 1000) / units,
    parts: sharesByPart(parts, profile.stacks),
    hottest: hottest(profile.stacks, hottestCount),
  };
}

function bar(label: string, { microsPerUnit }: RunFigures, ours: boolean) {
  const spread = { median: microsPerUnit, minimum: microsPerUnit, maximum: microsPerUnit };
  return { label, spread, text: `${figure(microsPerUnit)} µs`, ours };
}

function pictureName(name: PathName, isBefore: boolean): string {
  return isBefore ? `profiles-${name}-before` : `profiles-${name}`;
}

function graph({ machine }: ProfilesResult, name: PathName, { profile, units, commit }: ProfiledRun): string {
  const { title, unit, parts } = pathTexts[name];
  const micros = (profile.cpuMs * 1000) / units;
  return flameGraphSvg({
    title,
    subtitle: `${figure(micros)} µs of CPU for ${unit}, commit ${commit.slice(0, 8)}, ${machine.day}; width: share of the CPU time of the process`,
    stacks: profile.stacks,
    partOf: (frame) => partOfFrame(parts, frame),
    parts: sharesByPart(parts, profile.stacks).map(({ name }) => name),
  });
}

function markdown(result: ProfilesResult, paths: readonly PathFigures[]): string {
  const before = paths.find((path) => path.before)?.before?.commit;
  return `# Profiles

Where the CPU time of the hot paths goes${before ? ", before and after the work on their speed" : ""}. Each path runs at full speed under a profiler, after a warm-up: V8's for the main thread of the services, Java Flight Recorder for Spark. CPU time is user and system time of all threads of the process; samples are scaled to the CPU time of the threads that the profiler samples. All processes share the machine.

${before ? `**Before** is commit \`${before.slice(0, 8)}\`, in a worktree with the packages of this tree, under the same load: \`npm run bench -- profiles --before ${before.slice(0, 8)}\` creates the worktree and measures both again.\n\n` : ""}${paths.map((path) => pathMarkdown(path, result)).join("\n")}
${machineText(result.machine)}. Load average of the machine: ${figure(result.load.before)} before, ${spreadText(result.load.during)} while it ran.
`;
}

function pathMarkdown({ name, now, before }: PathFigures, { readings }: ProfilesResult): string {
  const { title, what, changed, unit } = pathTexts[name];
  const head = before
    ? ["Part", `before, µs ${unit}`, "before, %", `now, µs ${unit}`, "now, %"]
    : ["Part", `µs ${unit}`, "%"];
  const names = [...new Set([...now.parts, ...(before?.parts ?? [])].map((part) => part.name))];
  const cells = (run: RunFigures, part: string): string[] => {
    const share = run.parts.find((one) => one.name === part)?.share ?? 0;
    return share === 0 ? ["–", "–"] : [figure(share * run.microsPerUnit), (share * 100).toFixed(1)];
  };
  const rows = names.map((part) => [part, ...(before ? cells(before, part) : []), ...cells(now, part)]);
  const sum = (run: RunFigures) => [`**${figure(run.microsPerUnit)}**`, "**100**"];
  const pictures = [
    ...(before ? [`![${title}, before](${pictureName(name, true)}.svg)`] : []),
    `![${title}${before ? ", now" : ""}](${pictureName(name, false)}.svg)`,
  ];
  return `## ${title}

${what(readings)}

${pictures.join("\n\n")}

${
  before
    ? `Before, the largest parts were ${largest(before)}. ${changed} Now the largest parts are ${largest(now)}; ${unit} costs ${figure(now.microsPerUnit)} µs instead of ${figure(before.microsPerUnit)}.`
    : `The largest parts are ${largest(now)}.`
}

${markdownTable(head, [...rows, ["**all**", ...(before ? sum(before) : []), ...sum(now)]])}

The ten functions with the most time of their own:

${hottestTable(now, before)}
`;
}

/** "garbage collection (41 %), sockets (12 %) and checks (7 %)". */
function largest({ parts }: RunFigures): string {
  const named = parts
    .filter(({ name, share }) => share >= namedShare && name !== otherPart)
    .slice(0, namedParts)
    .map(({ name, share }) => `${name} (${Math.round(share * 100)} %)`);
  return listFormat.format(named);
}

function hottestTable(now: RunFigures, before: RunFigures | undefined): string {
  const cells = (share: Share | undefined): string[] =>
    share ? [`\`${share.name}\``, (share.share * 100).toFixed(1)] : ["", ""];
  const indices = Array.from({ length: hottestCount }, (_, index) => index);
  return before
    ? markdownTable(
        ["Before", "%", "now", "%"],
        indices.map((index) => [...cells(before.hottest[index]), ...cells(now.hottest[index])]),
      )
    : markdownTable(
        ["Function", "%"],
        indices.map((index) => cells(now.hottest[index])),
      );
}
