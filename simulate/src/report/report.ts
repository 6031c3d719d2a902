import type { Level } from "@devicemesh/proto";
import { sizeTolerance } from "../limits.ts";
import { predictDocuments } from "../model/document-sizes.ts";
import { longestLag, longestLagOf } from "../model/frontier-lag.ts";
import { predictSkew } from "../model/partition-skew.ts";
import type { Simulation } from "../simulation.ts";
import { tableOf } from "./table.ts";

/** The report of a run, and what is wrong: empty if everything is as it should be. */
export type Report = { readonly text: string; readonly problems: readonly string[] };

/** Compares what was counted with the model, and writes both. */
export function reportOf(simulation: Simulation): Report {
  const documents = documentsOf(simulation);
  const lags = lagsOf(simulation);
  const skew = skewOf(simulation);
  const problems = [
    ...questionProblems(simulation),
    ...documents.problems,
    ...sampleProblems(simulation),
    ...skew.problems,
    ...lags.problems,
    ...(simulation.isFolded ? [] : ["the frontiers did not reach the end of the run"]),
  ];
  const parts = [summaryOf(simulation), skew.text, documents.text, lags.text, questionsText(simulation)];
  const verdict = problems.length === 0 ? "Nothing differs." : `DIFFERENT:\n${problems.join("\n")}`;
  return { text: `${[...parts, verdict].join("\n\n")}\n`, problems };
}

function summaryOf({ config, census, plan, dropped, lateWindows, repairs, sampled }: Simulation): string {
  const { readings, duplicates, late, measured } = census.totals;
  const perSecond = ((readings + duplicates) * 1000) / (config.toMs - config.sinceMs);
  return tableOf(
    ["Fleet", "counted"],
    [
      ["devices, partitions, brokers", `${number(config.devices)}, ${config.partitions}, ${plan.brokers}`],
      ["readings measured", number(measured)],
      ["readings in the log before the end", number(readings)],
      ["messages a second", number(perSecond)],
      ["late: appended after their window and a second one", percent(late / readings)],
      ["duplicates and conflicts", `${number(duplicates)} (${percent(duplicates / readings)})`],
      ["messages that the window job dropped (clock)", number(dropped)],
      ["sampled devices: windows marked for that, repairs", `${lateWindows}, ${number(repairs)}`],
      ["sampled devices", number(sampled.devices)],
    ],
  );
}

function skewOf({ config, census }: Simulation): {
  readonly text: string;
  readonly problems: readonly string[];
} {
  const loads = [...census.perPartition].sort((a, b) => a - b);
  const mean = loads.reduce((sum, load) => sum + load, 0) / loads.length;
  const counted = (loads.at(-1) as number) / mean;
  const predicted = predictSkew(config);
  // The largest of many is itself random: it is between a third and three times as far from the mean as expected.
  const [least, most] = [1 + (predicted - 1) / 3, 1 + (predicted - 1) * 3];
  const isLike = config.partitions === 1 || (counted >= least && counted <= most);
  return {
    text: tableOf(
      ["Partitions, messages", "least", "mean", "most", "most / mean", "predicted"],
      [
        [
          "",
          number(loads[0] ?? 0),
          number(mean),
          number(loads.at(-1) ?? 0),
          ratio(counted),
          ratio(predicted),
        ],
      ],
    ),
    problems: isLike
      ? []
      : [`the fullest partition has ${ratio(counted)} of the mean, not ${ratio(predicted)}`],
  };
}

function documentsOf({ config, levels, census }: Simulation) {
  const predicted = predictDocuments(config, levels);
  const counted = census.documents;
  const readings = census.totals.readings;
  const off = (level: number): number =>
    (predicted[level] as number) / Math.max(counted[level] as number, 1) - 1;
  // Few documents vary more, and with none there is nothing to compare.
  const isNear = (level: number): boolean => {
    const found = counted[level] as number;
    return (
      Math.abs(off(level)) <= sizeTolerance + 3 / Math.sqrt(Math.max(found, 1)) ||
      found + (predicted[level] as number) < 10
    );
  };
  const wrong = levels.map((_, level) => level).filter((level) => !isNear(level));
  const rows = levels.map((level, place) => [
    windowName(level),
    number(predicted[place] as number),
    number(counted[place] as number),
    counted[place] === 0 ? "" : percent(off(place)),
    ((counted[place] as number) / readings).toPrecision(3),
  ]);
  return {
    text: tableOf(["Documents of windows", "predicted", "counted", "difference", "for each reading"], rows),
    problems: wrong.map(
      (level) =>
        `${windowName(levels[level] as Level)}: ${number(counted[level] as number)} documents, not ${number(predicted[level] as number)}`,
    ),
  };
}

/** Every message that the window job dropped may have been a partial of its own, at each level. */
function sampleProblems({ sampled, levels }: Simulation): string[] {
  const { counted, stored, dropped } = sampled;
  return levels.flatMap((level, place) => {
    const missing = (counted[place] as number) - (stored[place] as number);
    if (missing >= 0 && missing <= dropped) return [];
    return [
      `sampled devices, ${windowName(level)}: ${stored[place]} partials in the database, not ${counted[place]}`,
    ];
  });
}

function lagsOf({ lags, levels, plan, census }: Simulation) {
  const [finest] = levels as [Level];
  const { readings, duplicates } = census.totals;
  const partials = (census.documents[0] ?? 0) / Math.max(readings + duplicates, 1);
  const predictedMs = (kind: string): number => {
    const found = plan.faults.filter((fault) => fault.kind === kind);
    return found.length === 0
      ? longestLag(finest, partials)
      : Math.max(...found.map((fault) => longestLagOf(fault, finest, partials)));
  };
  const rows = lags.map(({ during, seconds: count, p50Ms, p99Ms, maximumMs }) => [
    during,
    String(count),
    seconds(p50Ms),
    seconds(p99Ms),
    seconds(maximumMs),
    seconds(predictedMs(during)),
  ]);
  return {
    text: tableOf(["Frontier behind, s, during", "seconds", "p50", "p99", "most", "predicted at most"], rows),
    problems: lags
      .filter(({ during, maximumMs }) => maximumMs > predictedMs(during))
      .map(
        ({ during, maximumMs }) =>
          `${during}: the frontier is ${seconds(maximumMs)} s behind, predicted at most ${seconds(predictedMs(during))} s`,
      ),
  };
}

function questionsText({ questions, levels }: Simulation): string {
  const { asked, different, fromLevels, fromRaw, fromRepairs } = questions;
  const rows = [
    ["asked", number(asked)],
    ["different from brute force", number(different)],
    ...levels.map((level, place) => [
      `readings from ${windowName(level)}`,
      number(fromLevels[place] as number),
    ]),
    ["readings from repairs", number(fromRepairs)],
    ["raw readings", number(fromRaw)],
  ];
  return tableOf(["Questions", ""], rows);
}

function questionProblems({ questions }: Simulation): string[] {
  const { asked, different, differences } = questions;
  return different === 0 ? [] : [`${different} of ${asked} answers differ:`, ...differences];
}

function windowName({ windowMs }: Level): string {
  return `windows of ${windowMs / 1000} s`;
}

const number = (value: number): string => Math.round(value).toLocaleString("en");
const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
const ratio = (value: number): string => value.toFixed(3);
const seconds = (ms: number): string => (ms / 1000).toFixed(1);
