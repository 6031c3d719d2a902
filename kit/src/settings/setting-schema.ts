type SettingBase = {
  /** `--name-with-dashes`. */
  readonly flag: `--${string}`;
  /** The environment variable; begins with the definition's prefix. */
  readonly env: string;
  /** The placeholder of the value in the help, without brackets; the kind if absent. */
  readonly placeholder?: string;
  /** One sentence for the help and the table, with its unit where there is one. */
  readonly description: string;
};

/** May be set to nothing with `off` or `none`. A setting without a default always may. */
type Optional = { readonly optional?: true };

/** One setting: a flag and an environment variable of the same meaning. */
export type Setting = SettingBase &
  (
    | (Optional & {
        readonly kind: "integer" | "number";
        readonly default?: number;
        readonly minimum?: number;
        readonly maximum?: number;
      })
    | {
        readonly kind: "string";
        readonly default?: string;
        readonly choices?: readonly string[];
      }
    /**
     * A flag that may be given several times; its variable has one value on each line. The value is a list, empty by
     * default.
     */
    | { readonly kind: "strings" }
    /** False without a default; true if the flag stands alone, whatever its name. */
    | { readonly kind: "boolean"; readonly default?: boolean }
    /** Written as `10s`, `500ms`, `7d`; the value is in milliseconds, and so is a bound given as a number. */
    | (Optional & DefaultAndBounds & { readonly kind: "duration" })
    /** Written as `512MB`, `1GiB`; the value is in bytes, and so is a bound given as a number. */
    | (Optional & DefaultAndBounds & { readonly kind: "bytes" })
  );

type DefaultAndBounds = {
  readonly default?: number | string;
  readonly minimum?: number | string;
  readonly maximum?: number | string;
};

export type SettingKind = Setting["kind"];

/** The type of a setting's loaded value. */
export type SettingValue<S extends Setting> = S extends { readonly kind: "boolean" }
  ? boolean
  : S extends { readonly kind: "strings" }
    ? readonly string[]
    : S extends { readonly kind: "string" }
      ? StringValue<S> | Absent<S>
      : number | Absent<S>;

type StringValue<S> = S extends { readonly choices: readonly (infer Choice)[] } ? Choice : string;

type Absent<S> = S extends { readonly optional: true }
  ? undefined
  : S extends { readonly default: string | number }
    ? never
    : undefined;

/** Every setting of a program, and its name in the help. */
export type SettingsDefinition<
  Settings extends Readonly<Record<string, Setting>> = Readonly<Record<string, Setting>>,
> = {
  /** The prefix of our environment variables: an unknown one with this prefix is rejected. */
  readonly prefix: string;
  readonly settings: Settings;
  /** Arguments that are not flags; none are accepted if absent. */
  readonly positionals?: { readonly max: number; readonly placeholder?: string };
  /** Variables with the prefix that belong to other programs: neither read nor rejected. */
  readonly foreignEnv?: readonly string[];
  /** Flags that users try, with the intended one: `{"--port": "--query-port"}`. */
  readonly misnamed?: Readonly<Record<`--${string}`, `--${string}`>>;
  /** The first line of the help after "Usage:"; for example `npm start -- [flags]`. */
  readonly usage?: string;
  /** One or two sentences above the flags. */
  readonly summary?: string;
};

/** The loaded values of a definition's settings. */
export type SettingValues<Settings extends Readonly<Record<string, Setting>>> = {
  readonly [Name in keyof Settings]: SettingValue<Settings[Name]>;
};
