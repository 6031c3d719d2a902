import { spawn } from "node:child_process";

/** The program that opens an address in the browser of a system, and its arguments. Pure. */
export function browserCommand(platform: NodeJS.Platform, address: string): readonly [string, ...string[]] {
  if (platform === "darwin") return ["open", address];
  if (platform === "win32") return ["cmd", "/c", "start", "", address];
  return ["xdg-open", address];
}

/** Opens an address in the user's browser; where that fails, `onFailure` is called with the reason. */
export function openBrowser(address: string, onFailure: (reason: string) => void): void {
  const [program, ...args] = browserCommand(process.platform, address);
  const child = spawn(program, args, { stdio: "ignore", detached: true });
  child.on("error", (error) => onFailure(error.message));
  child.unref();
}
