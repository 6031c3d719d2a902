import type { Shape } from "./addresses.ts";
import type { Docker } from "./docker.ts";
import { stackFiles } from "./stack-files.ts";

/** `docker stack config` of a shape: the whole deployment with all values, or DockerError. */
export function mergedConfig(docker: Pick<Docker, "read">, shape: Shape): string {
  return docker.read(["stack", "config", ...stackFiles(shape).flatMap((file) => ["-c", file])]);
}
