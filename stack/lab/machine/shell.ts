import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync } from "node:fs";

/** The options of a command. */
export type RunOptions = {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Written to its standard input. */
  readonly input?: string;
  readonly timeoutMs?: number;
};

/** Runs commands of this machine. */
export type Shell = {
  /** Aborts when the lab must end. */
  readonly signal: AbortSignal;
  /**
   * Runs a command and resolves with its standard output.
   * @throws Error with the end of its error output if it fails, takes too long, or the lab is ending.
   */
  run(command: readonly string[], options?: RunOptions): Promise<string>;
  /** The same, but resolves with the result of a failed command. */
  attempt(
    command: readonly string[],
    options?: RunOptions,
  ): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>;
};

const tailLines = 15;

/** Rethrows the error of a lab that is ending, which no loop may retry. */
export function throwIfEnding(error: unknown): void {
  if (error instanceof Error && error.name === "AbortError") throw error;
}

/**
 * Creates a shell whose commands end when `signal` aborts. Each command and its error output are written to the log
 * file. Commands run in separate sessions: Ctrl-C reaches only the lab, which ends them in order.
 */
export function createShell(options: {
  readonly signal: AbortSignal;
  readonly logFile: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}): Shell {
  async function attempt(command: readonly string[], { cwd, env, input, timeoutMs }: RunOptions = {}) {
    options.signal.throwIfAborted();
    const [program = "", ...args] = command;
    appendFileSync(options.logFile, `$ ${command.join(" ")}\n`);
    const child = spawn(program, args, {
      cwd,
      env: { ...options.env, ...env },
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
    const kill = (): void => {
      try {
        process.kill(-(child.pid ?? Number.NaN), "SIGKILL");
      } catch {
        child.kill("SIGKILL");
      }
    };
    options.signal.addEventListener("abort", kill, { once: true });
    const timer = timeoutMs === undefined ? undefined : setTimeout(kill, timeoutMs);
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      stderr += chunk;
      appendFileSync(options.logFile, chunk);
    });
    // The exit code decides about a command that ends before it has read its input.
    child.stdin.on("error", () => {});
    child.stdin.end(input ?? "");
    try {
      const [code] = (await once(child, "close")) as [number | null];
      options.signal.throwIfAborted();
      return { code: code ?? -1, stdout, stderr };
    } finally {
      clearTimeout(timer);
      options.signal.removeEventListener("abort", kill);
    }
  }

  return {
    signal: options.signal,
    attempt,
    async run(command, runOptions) {
      const { code, stdout, stderr } = await attempt(command, runOptions);
      if (code === 0) return stdout;
      const tail = `${stdout}\n${stderr}`.trim().split("\n").slice(-tailLines).join("\n");
      throw new Error(`${command.slice(0, 4).join(" ")} … failed (${code}):\n${tail}`);
    },
  };
}
