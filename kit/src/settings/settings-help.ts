import type { Setting, SettingsDefinition } from "./setting-schema.ts";
import { defaultValue, formatSetting } from "./setting-values.ts";

const helpWidth = 100;

const precedence = [
  "A flag beats its environment variable. X_FILE names a file that holds the value of X, for each",
  "variable X: so a secret is in no list of processes.",
];

/** Returns the text of `--help`: usage, then each flag with its meaning, default and environment variable. */
export function settingsHelp(definition: SettingsDefinition): string {
  const rows = [
    ...Object.values(definition.settings).map((setting) => ({
      left: `  ${flagText(setting)}`,
      right: `${setting.description} ${notes(setting)}`,
    })),
    { left: "  --help, -h", right: "Shows this text." },
  ];
  const column = Math.max(...rows.map((row) => row.left.length)) + 2;
  const lines = rows.flatMap((row) =>
    wrap(row.right, helpWidth - column).map((line, i) => (i === 0 ? row.left : "").padEnd(column) + line),
  );
  const head = [`Usage: ${definition.usage ?? defaultUsage(definition)}`, ""];
  const summary = definition.summary === undefined ? [] : [...wrap(definition.summary, helpWidth), ""];
  return `${[...head, ...summary, ...lines, "", ...precedence].join("\n")}\n`;
}

/** Formats the settings as a markdown table: flag, variable, default, meaning. */
export function settingsTable(definition: SettingsDefinition): string {
  const rows = Object.values(definition.settings).map((setting) => [
    `\`${flagText(setting)}\``,
    `\`${setting.env}\``,
    defaultText(setting) === undefined ? "–" : `\`${defaultText(setting)}\``,
    [setting.description, choicesText(setting)].filter((part) => part !== undefined).join(" "),
  ]);
  const lines = [["Flag", "Environment", "Default", "Meaning"], ["---", "---", "---", "---"], ...rows].map(
    (cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`,
  );
  return `${lines.join("\n")}\n`;
}

function defaultUsage(definition: SettingsDefinition): string {
  const { positionals } = definition;
  return positionals === undefined ? "[flags]" : `[flags] [${positionals.placeholder ?? "argument"}]`;
}

function flagText(setting: Setting): string {
  return setting.kind === "boolean"
    ? setting.flag
    : `${setting.flag} <${setting.placeholder ?? setting.kind}>`;
}

function notes(setting: Setting): string {
  const text = defaultText(setting);
  const parts = [choicesText(setting), text === undefined ? undefined : `Default ${text}.`];
  return [...parts.filter((part) => part !== undefined), `[${setting.env}]`].join(" ");
}

function defaultText(setting: Setting): string | undefined {
  const value = defaultValue(setting);
  return value === undefined || value === false || value === "" || typeof value === "object"
    ? undefined
    : formatSetting(setting, value);
}

function choicesText(setting: Setting): string | undefined {
  return setting.kind === "string" && setting.choices !== undefined
    ? `One of ${setting.choices.join(", ")}.`
    : undefined;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
