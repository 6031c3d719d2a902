import { spawn } from "node:child_process";
import { once } from "node:events";

/**
 * Lets Envoy validate a configuration file (0.2 s), and returns its warnings: "" if there are none.
 * @throws Error with Envoy's message.
 */
export async function validateConfig(binary: string, configFile: string): Promise<string> {
  const child = spawn(binary, ["--mode", "validate", "--log-level", "warning", "-c", configFile], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  child.stdout.resume();
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    printed += chunk;
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`Envoy rejects ${configFile}:\n${printed.trim()}`);
  return printed.trim();
}
