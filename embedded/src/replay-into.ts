import { replayFile } from "@devicemesh/generator";
import type { Embedded } from "./compose.ts";
