import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("backend-process.ts", import.meta.url));

/** For tests: the backend that answers, in a process that can be stopped and killed. */
export async function startBackendProcess(): Promise<
  { readonly child: ChildProcess; readonly port: number } & AsyncDisposable
> {
  const child = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return {
    child,
    port: Number(/listening on (\d+)/.exec(line.toString())?.[1]),
    async [Symbol.asyncDispose]() {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}
