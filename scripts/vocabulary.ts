// Checks the English of the repository: words that readers had to decode are not used in names, comments, texts and
// documents. `npm run check` runs it.
import { type SourceFile, writtenFiles } from "./tidy.ts";

/** Words that are not used, also as parts of identifiers and file names, and what to write instead. */
const replacements: readonly { readonly words: string; readonly instead: string }[] = [
  { words: "tell tells told telling", instead: "report, return, receive" },
  { words: "unwell amiss", instead: "unhealthy, wrong" },
  { words: "mend mends mended mending", instead: "repair, reconcile" },
  { words: "upkeep sight sights", instead: "maintenance, observation" },
  { words: "door doors room rooms", instead: "admission, capacity, workspace" },
  { words: "candidacy candidacies", instead: "leader election, term" },
  {
    words: "doubtful wish wishes wished pace paces paced pacing",
    instead: "unknown, request, rate, interval",
  },
  { words: "repeats", instead: "duplicates and conflicts, re-sent readings" },
  { words: "people whoever nobody somebody", instead: "users, any client, no client" },
  { words: "plays played playing player players", instead: "simulates, replays" },
  { words: "say says said saying", instead: "report, state, print" },
  { words: "look looks looked looking", instead: "poll, observe, inspect, appear" },
  { words: "turn turns", instead: "round, iteration, term" },
  { words: "away", instead: "unavailable, unreachable" },
];

/** Phrases that are not used, in texts of any kind. */
const phrases: readonly { readonly phrase: RegExp; readonly instead: string }[] = [
  { phrase: /\bshows? a (client )?certificate\b/i, instead: "presents a certificate" },
  { phrase: /\b(takes|took|taking) readings\b/i, instead: "accepts readings" },
  { phrase: /\bstored for good\b/i, instead: "durably stored" },
  { phrase: /\b(is|are|was) back\b|\bwell again\b/i, instead: "recovered, available" },
  { phrase: /\bputs? right\b/i, instead: "repairs" },
  { phrase: /\blets? in\b/i, instead: "admits" },
  { phrase: /\bstands? for the lease\b/i, instead: "leader election" },
  { phrase: /\bgo(es)? on\b|\bwent on\b/i, instead: "continues" },
  { phrase: /\bfor ever\b|\bin the midst\b/i, instead: "without a limit, in the middle" },
  { phrase: /\b(time|test|limit|share) (is|was) over\b/i, instead: "has passed, has ended" },
  { phrase: /\bin vain\b/i, instead: "without a result" },
  { phrase: /\b(held|holds?|holding) (up|back)\b/i, instead: "delayed, stopped" },
  { phrase: /\bloop (is )?held\b|\bheld(Append|Reading|Loop)s?\b/i, instead: "blocked, queued, delayed" },
];

/** Uses that stay, each with its reason. */
const allowed: readonly { readonly use: RegExp; readonly path?: RegExp; readonly reason: string }[] = [
  { use: /front[ -]?door/gi, reason: "the usual name for the proxy at the edge" },
  { use: /\bwindow_repeats\b/g, reason: "the stored name of a collection" },
  {
    use: /\bseries_repeats\b|\b(UPDATE|INTO|FROM|EXISTS) repeats\b/g,
    path: /^store-duckdb\/src\//,
    reason: "the stored names of tables",
  },
  { use: /\bEnvoyShortOfRoom\b/g, reason: "the name of an alert" },
  { use: /\bliving(_|-| |%20)room/gi, reason: "a place in the names of devices, in examples" },
  { use: /\bdoor\b/gi, path: /^proto\/sensors\.yaml$|\/presets\.test\.ts$/, reason: "a sensor" },
  { use: /\bgenerator -- play\b/g, reason: "a command" },
  { use: /\blook(s|ed|ing)?[ -]?(it |one |them )?(up|ups|like|for)\b/gi, reason: "terms: to look up a key" },
  {
    use: /[`"{ ]look[`".:,}]/g,
    path: /^(import\/src\/http|web\/src\/views\/import|docs)\//,
    reason: "a field in the responses of POST /v1/import",
  },
  { use: /\bin turn\b|InTurn\b|\bturns? [^.]{1,40} into\b/g, reason: "one after the other; to convert" },
  { use: /\b(Service|IngestLog|SparkMaster|Store)Away\b/g, reason: "the names of alerts" },
  { use: /"AWAY"|\bor AWAY\b/g, reason: "a state in the contract" },
];

const replacementOf = new Map(
  replacements.flatMap(({ words, instead }) => words.split(" ").map((word) => [word, instead] as const)),
);

/** Returns the words of a text in lower case; identifiers are split at capitals and underscores. */
export function wordsOf(text: string): string[] {
  return (text.match(/[A-Z]?[a-z]+|[A-Z]+(?![a-z])/g) ?? []).map((word) => word.toLowerCase());
}

/** Returns each use of a word or phrase that is replaced, as `path:line: "word": write …`. */
export function avoidedWords(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => [
    ...found(path, path, path),
    ...text.split("\n").flatMap((line, index) => found(`${path}:${index + 1}`, line, path)),
  ]);
}

/** Matches every text that may contain a word or phrase; most lines contain none. */
const candidate = new RegExp(
  [...replacementOf.keys(), ...phrases.map(({ phrase }) => phrase.source)].join("|"),
  "i",
);

function found(place: string, text: string, path: string): string[] {
  if (!candidate.test(text)) return [];
  let rest = text;
  for (const allow of allowed) {
    if (allow.path === undefined || allow.path.test(path)) rest = rest.replaceAll(allow.use, "");
  }
  const words = wordsOf(rest).flatMap((word) => {
    const instead = replacementOf.get(word);
    return instead === undefined ? [] : [`${place}: "${word}": write ${instead}`];
  });
  const spoken = phrases.flatMap(({ phrase, instead }) => {
    const match = phrase.exec(rest);
    return match === null ? [] : [`${place}: "${match[0]}": write ${instead}`];
  });
  return [...words, ...spoken];
}

/** Returns the files that are checked: all that are written by hand, except this list and its test. */
export function checkedFiles(): readonly SourceFile[] {
  return writtenFiles().filter(({ path }) => !/^scripts\/vocabulary(\.test)?\.ts$/.test(path));
}

if (import.meta.main) {
  const mistakes = avoidedWords(checkedFiles());
  if (mistakes.length > 0) {
    console.error(mistakes.join("\n"));
    process.exit(1);
  }
}
