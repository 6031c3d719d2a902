import { existsSync } from "node:fs";

/** The common settings of all JVMs of the engines. */
export type JavaSettings = {
  /** The logging configuration of all JVMs. */
  readonly loggingFile: string;
  /** The class archives of the engines, which can be mapped into memory. */
  readonly archives: ArchiveUse;
};

/**
 * The use of class archives (class-data sharing): an existing one is used, or one is written when the engine ends.
 */
export type ArchiveUse = { readonly kind: "use" | "write"; readonly file: (engine: string) => string };

/** Returns the arguments of `java` for an engine, up to its main class. */
export function javaArguments(options: {
  /** The engine of the archive: engines with the same main class share one. */
  readonly engine: "kafka" | "connect" | "spark" | "spark-master" | "spark-worker";
  readonly java: JavaSettings;
  readonly classPath: string;
  /** Heap, in MiB. */
  readonly heapMebibytes: number;
  readonly logFile: string;
  /** Use only the fast compiler: it starts in half the time with half the work, and runs slower later. */
  readonly quickCompilerOnly?: boolean;
  readonly more?: readonly string[];
}): string[] {
  const { engine, java, classPath, heapMebibytes, logFile, quickCompilerOnly = false, more = [] } = options;
  return [
    ...more,
    `-Xmx${heapMebibytes}m`,
    // Garbage collection on one core: half a dozen JVMs share two cores.
    "-XX:+UseSerialGC",
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
    ...(quickCompilerOnly ? ["-XX:TieredStopAtLevel=1"] : []),
    ...archiveArguments(java.archives, engine),
    "-Djava.awt.headless=true",
    `-Dlog4j2.configurationFile=${java.loggingFile}`,
    "-Dengine.appender=File",
    `-Dengine.log=${logFile}`,
    "-cp",
    classPath,
  ];
}

function archiveArguments({ kind, file }: ArchiveUse, engine: string): string[] {
  const archive = file(engine);
  if (kind === "write")
    return [`-XX:ArchiveClassesAtExit=${archive}`, "-Xlog:cds=off", "-Xlog:cds+dynamic=off"];
  return existsSync(archive)
    ? [`-XX:SharedArchiveFile=${archive}`, "-Xshare:auto", "-Xlog:cds=off", "-Xlog:cds+dynamic=off"]
    : [];
}
