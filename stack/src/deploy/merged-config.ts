import type { Docker } from "./docker.ts";

/** Runs `docker stack config` for these files: returns the whole deployment with all values, or throws DockerError. */
export function mergedConfig(docker: Pick<Docker, "read">, stackFiles: readonly string[]): string {
  return docker.read(["stack", "config", ...stackFiles.flatMap((file) => ["-c", file])]);
}
