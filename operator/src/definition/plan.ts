import { openEngines } from "../mesh-engines.ts";
import { enginesOf, meshOf, type OperatorConfig } from "../settings.ts";
import { anyDiffers, planLines } from "./difference.ts";
import { inspectMesh } from "./inspect-mesh.ts";

/** Exit code of `--plan` if the mesh differs. */
export const differsExitCode = 3;

/**
 * Compares the mesh with the settings. Returns the differences as text for users, and the exit code: 0 if there are
 * none. Changes nothing.
 * @throws Error if an engine cannot be reached.
 */
export async function planMesh(
  config: OperatorConfig,
): Promise<{ readonly text: string; readonly exitCode: number }> {
  const mesh = meshOf(config);
  await using engines = openEngines(enginesOf(config), mesh.names.database);
  const parts = await inspectMesh(engines, mesh);
  return {
    text: `${planLines(parts).join("\n")}\n`,
    exitCode: anyDiffers(parts) ? differsExitCode : 0,
  };
}
