// Outside tools that the tests call as a user would. They are fetched once into .tools/bin.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const binFolder = join(fileURLToPath(new URL("..", import.meta.url)), ".tools/bin");
const grpcurlModule = "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4";

/** Where grpcurl is, or undefined: in .tools/bin or on the PATH. */
export function findGrpcurl(): string | undefined {
  const folders = [binFolder, ...(process.env.PATH ?? "").split(delimiter)];
  return folders.map((folder) => join(folder, "grpcurl")).find((path) => existsSync(path));
}

/** Installs grpcurl with Go if it is missing. Without Go, says that its tests will be skipped. */
export function ensureGrpcurl(): void {
  if (findGrpcurl()) return;
  console.log(`installing grpcurl (go install ${grpcurlModule}) ...`);
  const result = spawnSync("go", ["install", grpcurlModule], {
    env: { ...process.env, GOBIN: binFolder },
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (result.status !== 0) {
    console.log(
      "grpcurl could not be installed: the tests that call it are SKIPPED. Install Go 1.24 or later, or put grpcurl on the PATH.",
    );
  }
}
