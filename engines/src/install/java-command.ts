import { existsSync } from "node:fs";

/** What the JVMs of all engines have in common. */
export type JavaSettings = {
  /** Logging set-up of all. */
  readonly loggingFile: string;
  /** The classes of each engine, ready to be mapped into memory. */
  readonly archives: ArchiveUse;
};

/**
 * What is done about archives of classes (class-data sharing): each is used if it is there, or written
 * when the engine ends.
 */
export type ArchiveUse = { readonly kind: "use" | "write"; readonly file: (engine: string) => string };

/** The arguments of `java` for an engine, up to its main class. */
export function javaArguments(options: {
  /** Whose archive it is: engines of one main class share one. */
  readonly engine: "kafka" | "connect" | "spark" | "spark-master" | "spark-worker";
  readonly java: JavaSettings;
  readonly classPath: string;
  /** Heap, in MiB. */
  readonly heapMebibytes: number;
  readonly logFile: string;
  /** Only the quick compiler: starts in half the time with half the work, and runs slower later. */
  readonly quickCompilerOnly?: boolean;
  readonly more?: readonly string[];
}): string[] {
  const { engine, java, classPath, heapMebibytes, logFile, quickCompilerOnly = false, more = [] } = options;
  return [
    ...more,
    `-Xmx${heapMebibytes}m`,
    // One core's worth of collector: two cores are shared by half a dozen JVMs.
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
