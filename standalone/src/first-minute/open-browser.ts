import { spawn } from "node:child_process";

/** Returns the program that opens a URL in the browser of a system, and its arguments. Pure. */
export function browserCommand(platform: NodeJS.Platform, address: string): readonly [string, ...string[]] {
  if (platform === "darwin") return ["open", address];
  if (platform === "win32") return ["cmd", "/c", "start", "", address];
  return ["xdg-open", address];
}

/** Opens a URL in the user's browser; if that fails, calls `onFailure` with the reason. */
export function openBrowser(address: string, onFailure: (reason: string) => void): void {
  const [program, ...args] = browserCommand(process.platform, address);
  const child = spawn(program, args, { stdio: "ignore", detached: true });
  child.on("error", (error) => onFailure(error.message));
  child.unref();
}
