import { type Clock, wait } from "@devicemesh/client/clock";
import { readIngestTls } from "@devicemesh/client/delivery/ingest-tls";
import { createStatusLine, type Output } from "@devicemesh/import/report/status-line";
import { createLogger } from "@devicemesh/kit/observability/logger";
import { type LoadedSettings, loadSettings } from "@devicemesh/kit/settings/define-settings";
import { SettingsError } from "@devicemesh/kit/settings/settings-error";
import { createGenerator } from "./generator.ts";
import { statusIntervalMs } from "./limits.ts";
import { RecordingError } from "./replay/recording.ts";
import { replayFile } from "./replay/replay.ts";
import { type ReplaySettings, replaySettings } from "./replay/replay-settings.ts";
import { serveCommand } from "./serve/serve-command.ts";
import { serveSettings } from "./serve/serve-settings.ts";
import { readDeviceSensors } from "./simulate/device-sensors.ts";
import { type SimulateSettings, simulateSettings } from "./simulate/simulate-settings.ts";
import { replayProgressText, replaySummaryText, simulationText } from "./texts.ts";

/** The environment of the command line. */
export type CliContext = {
  /** The arguments, without node and script. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Standard output: results. */
  readonly stdout: Output;
  /** Standard error: progress and problems. */
  readonly stderr: Output;
  readonly clock: Clock;
  /** Aborts when the user interrupts. */
  readonly interrupted: AbortSignal;
};

/**
 * Runs `play`, `serve` or `replay FILE` and resolves to the exit code: 0 if everything was acknowledged, 1 if a row was
 * bad, a reading rejected, or some remained undelivered, 2 if the command could not start.
 */
export async function runCli(context: CliContext): Promise<number> {
  const [command, ...args] = context.args;
  if (command === "play") {
    return withSettings(loadSettings(simulateSettings, { args, env: context.env }), context, simulate);
  }
  if (command === "serve") {
    return withSettings(loadSettings(serveSettings, { args, env: context.env }), context, serveCommand);
  }
  if (command === "replay") {
    return withSettings(loadSettings(replaySettings, { args, env: context.env }), context, replay);
  }
  const asked = command === "--help" || command === "-h" || command === "help";
  (asked ? context.stdout : context.stderr).write(
    asked || command === undefined ? helpText : `${JSON.stringify(command)} is not a command.\n\n${helpText}`,
  );
  return asked ? 0 : 2;
}

const helpText = `Usage: npm run generator -- COMMAND [flags]

  play         simulates devices that send readings to ingest, until Ctrl-C
  serve        simulates devices, and serves GeneratorService: start, stop, status
  replay FILE  streams a CSV recording to ingest

COMMAND --help lists the flags.
`;

type Run<Values> = (values: Values, context: CliContext, positionals: readonly string[]) => Promise<number>;

async function withSettings<Values>(
  loaded:
    | { kind: "settings"; values: Values; positionals: readonly string[] }
    | Extract<LoadedSettings<Record<string, never>>, { text: string }>,
  context: CliContext,
  run: Run<Values>,
): Promise<number> {
  if (loaded.kind === "settings") {
    try {
      return await run(loaded.values, context, loaded.positionals);
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      return usage(context.stderr, error.message);
    }
  }
  (loaded.kind === "help" ? context.stdout : context.stderr).write(loaded.text);
  return loaded.kind === "help" ? 0 : 2;
}

async function simulate(
  values: SimulateSettings,
  { stdout, stderr, clock, interrupted }: CliContext,
): Promise<number> {
  const { target, devices, intervalMs, seed, durationMs, memoryReadings, spillFolder, spillBytesMax } =
    values;
  const tls = readIngestTls(values);
  await using generator = createGenerator({
    target,
    tls,
    devicePrefix: values.devicePrefix,
    deviceSensors: readDeviceSensors(values),
    logger: createLogger({ name: "generator", level: values.logLevel }),
    clock,
    limits: { memoryReadings },
    ...(spillFolder === undefined ? {} : { spill: { folder: spillFolder, bytesMax: spillBytesMax } }),
  });
  generator.start({
    devices,
    intervalMs,
    seed: seed === undefined ? undefined : BigInt(seed),
    faults: values,
  });
  stdout.write(
    `simulating ${devices} devices with seed ${generator.state().simulation?.seed} to ${target}, Ctrl-C ends it\n`,
  );
  const line = createStatusLine({ output: stderr, clock });
  const endMs = durationMs === undefined ? Number.POSITIVE_INFINITY : clock.nowMs() + durationMs;
  while (!interrupted.aborted && clock.nowMs() < endMs) {
    await wait({ clock, delayMs: Math.min(statusIntervalMs, endMs - clock.nowMs()), signal: interrupted });
    line.show(simulationText(generator.state()));
  }
  await generator.close({ limitMs: values.stopLimitMs });
  line.end();
  const end = generator.state();
  stdout.write(`${simulationText(end)}\n`);
  return end.dropped > 0 ? 1 : 0;
}

async function replay(
  values: ReplaySettings,
  { stdout, stderr, clock, interrupted }: CliContext,
  [file]: readonly string[],
): Promise<number> {
  const { target, times, speed, giveUpAfterMs } = values;
  if (file === undefined) return usage(stderr, "replay needs a FILE; replay --help lists the flags.");
  if (times === "start-now" && speed === undefined) return usage(stderr, "--times start-now needs --speed.");
  const tls = readIngestTls(values);
  const line = createStatusLine({ output: stderr, clock });
  const onProgress = (progress: Parameters<typeof replayProgressText>[0]) =>
    line.show(replayProgressText(progress));
  try {
    const summary = await replayFile({
      file,
      target,
      tls,
      times,
      speed,
      giveUpAfterMs,
      clock,
      signal: interrupted,
      onProgress,
    });
    line.end();
    stdout.write(replaySummaryText(summary));
    const { ended, bad, refused } = summary;
    return ended === "complete" && bad === 0 && refused === 0 ? 0 : 1;
  } catch (error) {
    line.end();
    if (!(error instanceof RecordingError)) throw error;
    return usage(stderr, error.message);
  }
}

function usage(stderr: Output, text: string): number {
  stderr.write(`${text}\n`);
  return 2;
}
