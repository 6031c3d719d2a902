import {
  type Copy,
  type Dockerfile,
  DockerfileParser,
  type Flag,
  type Instruction,
  type JSONInstruction,
  type PropertyInstruction,
} from "dockerfile-ast";

/** One step of a stage. Texts may hold `${NAME}` of an argument or of the environment, unless said otherwise. */
export type Step =
  /** Without `from` out of the build context. */
  | {
      readonly kind: "copy";
      readonly from: string | undefined;
      readonly owner: string | undefined;
      readonly sources: readonly string[];
      readonly target: string;
    }
  /** A command of `sh -c`, which sees the variables by itself; `caches` are folders kept between builds. */
  | { readonly kind: "run"; readonly command: string; readonly caches: readonly string[] }
  | { readonly kind: "workdir"; readonly path: string }
  | { readonly kind: "user"; readonly user: string }
  | { readonly kind: "env" | "label"; readonly values: ReadonlyMap<string, string> }
  | { readonly kind: "arg"; readonly name: string; readonly value: string | undefined }
  | { readonly kind: "entrypoint" | "cmd"; readonly command: readonly string[] };

/** From one FROM to the next. */
export type Stage = {
  readonly name: string | undefined;
  /** An image with its tag, or the name of an earlier stage. */
  readonly base: string;
  readonly steps: readonly Step[];
};

/**
 * Reads a Dockerfile of the few instructions and forms that this project uses.
 * @throws Error with the line for anything else: what is not understood must not be passed over.
 */
export function readDockerfile(text: string): Stage[] {
  const dockerfile: Dockerfile = DockerfileParser.parse(text);
  const stages: { name: string | undefined; base: string; steps: Step[] }[] = [];
  for (const directive of dockerfile.getDirectives())
    throw unknown(directive.getRange().start.line, "directive");
  for (const instruction of dockerfile.getInstructions()) {
    const keyword = instruction.getKeyword();
    if (keyword === "FROM") {
      stages.push({ ...readFrom(instruction), steps: [] });
      continue;
    }
    const stage = stages.at(-1);
    const read = readers[keyword];
    if (stage === undefined || read === undefined) throw unknown(lineOf(instruction), keyword);
    stage.steps.push(...read(instruction));
  }
  return stages;
}

const readers: Readonly<Record<string, (instruction: Instruction) => readonly Step[]>> = {
  COPY(instruction) {
    const flags = flagsOf(instruction, ["from", "chown"]);
    const paths = argumentsOf(instruction);
    const target = paths.pop();
    if (target === undefined || paths.length === 0 || /^(\[|<<)/.test(paths[0]!)) {
      throw unknown(lineOf(instruction), "form of COPY");
    }
    return [{ kind: "copy", from: flags.get("from"), owner: flags.get("chown"), sources: paths, target }];
  },
  RUN(instruction) {
    const caches = (instruction as Copy).getFlags().map((flag) => cacheOf(instruction, flag));
    const command = shellText(instruction);
    if (/^\s*\[|<<-?["']?\w/.test(command)) throw unknown(lineOf(instruction), "form of RUN");
    return [{ kind: "run", command, caches }];
  },
  WORKDIR: (instruction) => [{ kind: "workdir", path: onlyArgument(instruction) }],
  USER: (instruction) => [{ kind: "user", user: onlyArgument(instruction) }],
  ENV: (instruction) => [{ kind: "env", values: propertiesOf(instruction) }],
  LABEL: (instruction) => [{ kind: "label", values: propertiesOf(instruction) }],
  ARG(instruction) {
    const [name = "", value] = onlyArgument(instruction).split("=", 2);
    return [{ kind: "arg", name, value }];
  },
  ENTRYPOINT: (instruction) => [{ kind: "entrypoint", command: commandOf(instruction) }],
  CMD: (instruction) => [{ kind: "cmd", command: commandOf(instruction) }],
};

function readFrom(instruction: Instruction): Pick<Stage, "name" | "base"> {
  flagsOf(instruction, []);
  const [base, as, name, ...more] = argumentsOf(instruction);
  const named = as === undefined || (as.toUpperCase() === "AS" && name !== undefined);
  if (base === undefined || base.includes("$") || !named || more.length > 0) {
    throw unknown(lineOf(instruction), "form of FROM");
  }
  return { base, name };
}

/** Docker joins lines that end with a backslash, and leaves out comments between them. */
function shellText(instruction: Instruction): string {
  return (instruction.getRawArgumentsContent() ?? "")
    .split("\n")
    .filter((line) => !/^\s*#/.test(line))
    .join("\n")
    .replaceAll(/\\[ \t]*\n/g, "");
}

function flagsOf(instruction: Instruction, allowed: readonly string[]): Map<string, string> {
  const flags = (instruction as JSONInstruction).getFlags();
  const other = flags.find((flag) => !allowed.includes(flag.getName()) || !flag.getValue());
  if (other) throw unknown(lineOf(instruction), other.toString());
  return new Map(flags.map((flag) => [flag.getName(), flag.getValue()!]));
}

function cacheOf(instruction: Instruction, flag: Flag): string {
  const target = /^--mount=type=cache,target=(\/[^,]+)$/.exec(flag.toString())?.[1];
  if (target === undefined) throw unknown(lineOf(instruction), flag.toString());
  return target;
}

function propertiesOf(instruction: Instruction): Map<string, string> {
  const properties = (instruction as PropertyInstruction).getProperties();
  return new Map(
    properties.map((property) => {
      const value = property.getValue();
      if (value === null || value === undefined) throw unknown(lineOf(instruction), "name without a value");
      return [property.getName(), value];
    }),
  );
}

/** Only the form of a JSON array: the other one puts a shell between the program and its signals. */
function commandOf(instruction: Instruction): string[] {
  try {
    const command: unknown = JSON.parse(instruction.getArgumentsContent() ?? "");
    if (Array.isArray(command) && command.every((part) => typeof part === "string")) return command;
  } catch {
    // Not JSON: told below.
  }
  throw unknown(lineOf(instruction), `form of ${instruction.getKeyword()} other than ["a", "b"]`);
}

function argumentsOf(instruction: Instruction): string[] {
  return instruction.getArguments().map((argument) => argument.getValue());
}

function onlyArgument(instruction: Instruction): string {
  const [argument, ...more] = argumentsOf(instruction);
  if (argument === undefined || more.length > 0) {
    throw unknown(lineOf(instruction), `form of ${instruction.getKeyword()}`);
  }
  return argument;
}

function lineOf(instruction: Instruction): number {
  return instruction.getInstructionRange().start.line;
}

function unknown(line: number, what: string): Error {
  return new Error(`line ${line + 1}: ${what} is not among what is replayed; teach readDockerfile about it`);
}
