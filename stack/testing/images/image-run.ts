import type { ReplayedImage } from "./replay-image.ts";
import { runInSandbox, type SandboxOptions, type SandboxProcess, startInSandbox } from "./sandbox.ts";

/** How a container differs from its image. */
export type ContainerOptions = {
  /** In place of the image's own command. */
  readonly command?: readonly string[];
  /** In place of the image's entry point, as a health check has none. */
  readonly withoutEntrypoint?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  /** Volumes: host folders by where they are inside. */
  readonly volumes?: Readonly<Record<string, string>>;
  /** Configs and secrets: host files by where they are inside. */
  readonly configs?: Readonly<Record<string, string>>;
};

/** Starts an image as a container would: its user, its environment, its entry point, a root that is read only. */
export function startImage(image: ReplayedImage, options: ContainerOptions = {}): Promise<SandboxProcess> {
  return startInSandbox(sandboxOf(image, options));
}

/** Runs an image to its end. */
export function runImage(
  image: ReplayedImage,
  options: ContainerOptions = {},
): Promise<{ readonly exitCode: number | null; readonly output: string }> {
  return runInSandbox(sandboxOf(image, options));
}

function sandboxOf(image: ReplayedImage, options: ContainerOptions): SandboxOptions {
  const {
    command = image.command,
    withoutEntrypoint = false,
    environment,
    volumes = {},
    configs = {},
  } = options;
  return {
    root: image.root,
    base: image.base,
    workFolder: image.workFolder,
    user: image.user,
    command: [...(withoutEntrypoint ? [] : image.entrypoint), ...command],
    environment: { ...image.environment, ...environment },
    shared: volumes,
    given: configs,
    readOnlyRoot: true,
  };
}
