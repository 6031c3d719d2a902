import { nearestName } from "./nearest-name.ts";
import { readSettingFile } from "./setting-file.ts";
import type { Setting, SettingsDefinition, SettingValues } from "./setting-schema.ts";
import { type AnySettingValue, defaultValue, formatSetting, parseSetting } from "./setting-values.ts";
import { type Environment, fileVariable, readVariable, type VariableText } from "./setting-variable.ts";
import { settingsHelp } from "./settings-help.ts";

export type { Setting, SettingKind, SettingsDefinition, SettingValues } from "./setting-schema.ts";
export { settingsTable } from "./settings-help.ts";

/** The values of a definition: `SettingsOf<typeof definition>`. */
export type SettingsOf<Definition extends SettingsDefinition> = SettingValues<Definition["settings"]>;

/** The result of loading a program's settings. `text` is for the user, and ends with a newline. */
export type LoadedSettings<Settings extends Readonly<Record<string, Setting>>> =
  | {
      readonly kind: "settings";
      readonly values: SettingValues<Settings>;
      readonly positionals: readonly string[];
    }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "problems"; readonly text: string };

/**
 * Checks a definition and returns it with its exact type, from which `loadSettings` infers its values.
 * @throws Error for a name that occurs twice or lacks the prefix, or a default outside its own bounds.
 */
export function defineSettings<const Settings extends Readonly<Record<string, Setting>>>(
  definition: SettingsDefinition<Settings>,
): SettingsDefinition<Settings> {
  const settings: Setting[] = Object.values(definition.settings);
  assertDistinct(["--help", ...settings.map((setting) => setting.flag)]);
  assertDistinct(settings.flatMap((setting) => variablesOf(setting.env)));
  for (const setting of settings) {
    if (!setting.env.startsWith(definition.prefix)) {
      throw new Error(`${setting.env} does not begin with ${definition.prefix}`);
    }
    const value = defaultValue(setting);
    const parsed =
      value === undefined || setting.kind === "strings"
        ? undefined
        : parseSetting(setting, formatSetting(setting, value));
    if (parsed?.kind === "problem") {
      throw new Error(`the default of ${setting.flag}: ${parsed.problem}`);
    }
  }
  return definition;
}

/**
 * Reads arguments (without node and script), environment, and the files that `_FILE` variables name; reports all
 * problems at once. A flag overrides its variable, a variable the default; an empty variable counts as unset, a
 * variable together with its `_FILE` is a problem. `--` ends the flags. No problem shows the content of a file.
 */
export function loadSettings<const Settings extends Readonly<Record<string, Setting>>>(
  definition: SettingsDefinition<Settings>,
  given: { readonly args: readonly string[]; readonly env: Environment },
): LoadedSettings<Settings> {
  const read = readArguments(definition, given.args);
  if (read.help) {
    return { kind: "help", text: settingsHelp(definition) };
  }
  const taken = flagsTakenByNpm(definition, given.env);
  // Arguments that npm left over would only distract from the cause.
  const problems = [
    ...(taken.length > 0 ? [npmProblem(definition, taken)] : read.problems),
    ...unknownVariables(definition, given.env),
  ];
  const values: Record<string, AnySettingValue> = {};
  for (const [name, setting] of Object.entries<Setting>(definition.settings)) {
    const found = findText(setting, read.texts, given.env);
    if (found.kind === "none") {
      values[name] = defaultValue(setting);
      continue;
    }
    if (found.kind === "problem") {
      problems.push(found.problem);
      continue;
    }
    const parsed = parseSetting(setting, found.text, found.shownAs);
    if (parsed.kind === "problem") {
      problems.push(`${found.from}: ${parsed.problem}`);
    } else {
      values[name] = parsed.value;
    }
  }
  return problems.length > 0
    ? { kind: "problems", text: problemsText(problems) }
    : { kind: "settings", values: values as SettingValues<Settings>, positionals: read.positionals };
}

type ReadArguments = {
  help: boolean;
  /** The values given for each flag. */
  texts: Map<string, string>;
  positionals: string[];
  problems: string[];
};

function readArguments(definition: SettingsDefinition, args: readonly string[]): ReadArguments {
  const byFlag = new Map<string, Setting>(
    Object.values(definition.settings).map((setting) => [setting.flag, setting]),
  );
  const read: ReadArguments = { help: false, texts: new Map(), positionals: [], problems: [] };
  for (let i = 0; i < args.length; i += 1) {
    const argument = args[i]!;
    if (argument === "--") {
      read.positionals.push(...args.slice(i + 1));
      break;
    }
    if (!argument.startsWith("-") || argument === "-") {
      read.positionals.push(argument);
      continue;
    }
    const { flag, text } = splitFlag(argument);
    const setting = byFlag.get(flag);
    if (flag === "--help" || flag === "-h") {
      read.help = true;
    } else if (setting === undefined) {
      const meant = definition.misnamed?.[flag as `--${string}`];
      const hint = meant ? `; did you mean ${meant}?` : suggestion(flag, ["--help", ...byFlag.keys()]);
      read.problems.push(`${flag}: unknown flag${hint}`);
      // The argument after an unknown flag is most likely its value, and not a separate problem.
      i += text === undefined && hasValue(args[i + 1]) ? 1 : 0;
    } else if (read.texts.has(flag) && setting.kind !== "strings") {
      read.problems.push(`${flag}: given twice`);
      i += text === undefined && setting.kind !== "boolean" && hasValue(args[i + 1]) ? 1 : 0;
    } else if (text !== undefined || setting.kind === "boolean") {
      addText(read.texts, flag, text ?? "true");
    } else if (hasValue(args[i + 1])) {
      i += 1;
      addText(read.texts, flag, args[i]!);
    } else {
      read.problems.push(`${flag}: needs a value`);
    }
  }
  const positionalsMax = definition.positionals?.max ?? 0;
  for (const surplus of read.positionals.slice(positionalsMax)) {
    read.problems.push(`${JSON.stringify(surplus)}: unexpected argument`);
  }
  return read;
}

/** A repeated flag adds a line. */
function addText(texts: Map<string, string>, flag: string, text: string): void {
  const before = texts.get(flag);
  texts.set(flag, before === undefined ? text : `${before}\n${text}`);
}

function splitFlag(argument: string): { flag: string; text: string | undefined } {
  const equals = argument.indexOf("=");
  return equals === -1
    ? { flag: argument, text: undefined }
    : { flag: argument.slice(0, equals), text: argument.slice(equals + 1) };
}

/** A flag's value may begin with one dash (a negative number), not with two. */
function hasValue(next: string | undefined): boolean {
  return next !== undefined && !next.startsWith("--");
}

function unknownVariables(definition: SettingsDefinition, env: Environment): string[] {
  const known = Object.values(definition.settings).flatMap((setting) => variablesOf(setting.env));
  const allowed = new Set([...known, ...(definition.foreignEnv ?? []).flatMap(variablesOf)]);
  return Object.keys(env)
    .filter((name) => name.startsWith(definition.prefix) && env[name] !== undefined && !allowed.has(name))
    .sort()
    .map((name) => `${name}: unknown environment variable${suggestion(name, known)}`);
}

/** The flags before the `--` of `npm start -- …`: npm keeps them as its own configuration. */
function flagsTakenByNpm(definition: SettingsDefinition, env: Environment): string[] {
  return Object.values(definition.settings)
    .map(({ flag }) => flag.slice(2))
    .filter((name) => !npmOptions.has(name))
    .filter((name) => {
      const variable = (option: string) => env[`npm_config_${option.replaceAll("-", "_")}`];
      // npm reads --no-generator as its option `generator`, set to empty.
      return variable(name) !== undefined || (name.startsWith("no-") && variable(name.slice(3)) === "");
    })
    .map((name) => `--${name}`);
}

/** Our flags that are also options of npm, so that npm sets them by itself. */
const npmOptions: ReadonlySet<string> = new Set(["cache"]);

function npmProblem(
  { usage = "npm start -- [flags]" }: SettingsDefinition,
  flags: readonly string[],
): string {
  return `${flags.join(", ")}: npm took this for itself; flags of the program come after "--": ${usage}`;
}

function findText(setting: Setting, flags: ReadonlyMap<string, string>, env: Environment): VariableText {
  const text = flags.get(setting.flag);
  return text === undefined
    ? readVariable(setting, env, readSettingFile)
    : { kind: "text", text, from: setting.flag, shownAs: undefined };
}

function variablesOf(env: string): readonly string[] {
  return [env, fileVariable(env)];
}

function suggestion(mistyped: string, known: readonly string[]): string {
  const nearest = nearestName(mistyped, known);
  return nearest === undefined ? "" : `; did you mean ${nearest}?`;
}

function problemsText(problems: readonly string[]): string {
  return `${[...problems, "--help lists what there is."].join("\n")}\n`;
}

function assertDistinct(names: readonly string[]): void {
  const repeated = names.find((name, i) => names.indexOf(name) !== i);
  if (repeated !== undefined) {
    throw new Error(`${repeated} is defined twice`);
  }
}
