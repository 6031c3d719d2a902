import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { runImage, startImage } from "./image-run.ts";
import type { ReplayedImage } from "./replay-image.ts";
import type { SandboxProcess } from "./sandbox.ts";

/** For tests: a service of the image on a free port, once it says that it listens (or says anything on stderr). */
export async function startService(
  image: ReplayedImage,
  name: string,
  args: readonly string[],
  { until = "stdout" }: { readonly until?: "stdout" | "stderr" } = {},
): Promise<SandboxProcess & { readonly port: number }> {
  const service = await startImage(image, {
    command: ["node", `/opt/devicemesh/${name}/src/main.ts`, ...args, "--port", "0", "--log-level", "warn"],
  });
  const { output } = service;
  await waitUntil(() => output[until].includes("\n") || service.hasEnded(), { timeoutMs: 60_000 });
  if (service.hasEnded()) throw new Error(`${name} has ended: ${output.stdout}${output.stderr}`);
  return { ...service, port: Number(/^listening on 127\.0\.0\.1:(\d+)\n/.exec(output.stdout)?.[1]) };
}

/** For tests: what the image's own probe says of a port, as a health check of its container. */
export function probeService(image: ReplayedImage, port: number, ...args: readonly string[]) {
  const command = ["node", "/opt/devicemesh/kit/src/health/probe-main.ts", `127.0.0.1:${port}`, ...args];
  return runImage(image, { command, withoutEntrypoint: true });
}
