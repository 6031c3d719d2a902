import type { Docker } from "./docker.ts";

/** `docker stack config` of these files: the whole deployment with all values, or DockerError. */
export function mergedConfig(docker: Pick<Docker, "read">, stackFiles: readonly string[]): string {
  return docker.read(["stack", "config", ...stackFiles.flatMap((file) => ["-c", file])]);
}
