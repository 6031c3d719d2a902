import { mkdirSync, readFileSync } from "node:fs";
import { type EngineSpec, engineFiles } from "../engine-spec.ts";
import { javaArguments } from "../install/java-command.ts";
import { watcherHeapMebibytes } from "../limits.ts";
import type { PlanContext } from "./plan-context.ts";
import { readProperties } from "./template.ts";

/** Heap of the driver: alone it does all the work, with its state; in a cluster the executors do it. */
const driverHeapMebibytes = { local: 1536, cluster: 768 } as const;
/** Memory of a worker for its executors: `spark.executor.memory` and Spark's overhead. */
const workerMemory = "1200m";

/** Returns the specification of Spark Connect in one process. */
export function sparkSpec(context: PlanContext): EngineSpec {
  return driverSpec(context, {
    master: "local[2]",
    driverPort: 0,
    blockManagerPort: 0,
    heapMebibytes: driverHeapMebibytes.local,
    needs: [],
  });
}

/** Returns the specifications of a master, two workers with one core each, and Spark Connect with them. */
export function sparkClusterSpecs(context: PlanContext): EngineSpec[] {
  const { ports } = context;
  const masterUrl = `spark://127.0.0.1:${ports["spark-master"]}`;
  const masterPage = `http://127.0.0.1:${ports["spark-master-page"]}/json/`;
  const workers = (["spark-worker-1", "spark-worker-2"] as const).map((name) => {
    const page = ports[`${name}-page`];
    return {
      ...watcherSpec(context, name, "org.apache.spark.deploy.worker.Worker", [
        ...["--host", "127.0.0.1", "--port", String(ports[name]), "--webui-port", String(page)],
        ...["--cores", "1", "--memory", workerMemory, "--work-dir", `${context.folder}/data/${name}`],
        masterUrl,
      ]),
      needs: ["spark-master"] as const,
      // The worker names its master only while it is registered there; the master would list a killed worker for a
      // minute.
      probe: { kind: "http", url: `http://127.0.0.1:${page}/json/`, contains: masterUrl } as const,
      address: `spark://127.0.0.1:${ports[name]}`,
    };
  });
  return [
    {
      ...watcherSpec(context, "spark-master", "org.apache.spark.deploy.master.Master", [
        ...["--host", "127.0.0.1", "--port", String(ports["spark-master"])],
        ...["--webui-port", String(ports["spark-master-page"])],
      ]),
      probe: { kind: "http", url: masterPage, contains: '"ALIVE"' },
      address: masterUrl,
    },
    ...workers,
    driverSpec(context, {
      master: masterUrl,
      driverPort: ports["spark-driver"],
      blockManagerPort: ports["spark-block-manager"],
      heapMebibytes: driverHeapMebibytes.cluster,
      masterPage,
      needs: ["spark-master", "spark-worker-1", "spark-worker-2"],
    }),
  ];
}

function driverSpec(
  context: PlanContext,
  driver: Pick<EngineSpec, "needs"> & {
    readonly master: string;
    readonly driverPort: number;
    readonly blockManagerPort: number;
    readonly heapMebibytes: number;
    /** The URL at which the master of a cluster lists its applications. */
    readonly masterPage?: string;
  },
): EngineSpec {
  const files = engineFiles(context.folder, "spark");
  const port = context.ports.spark;
  const scratchFolder = `${files.data}/scratch`;
  mkdirSync(files.data, { recursive: true });
  context.writeConfig("spark-defaults.conf", `${files.config}.conf`, {
    master: driver.master,
    advertisedHost: "127.0.0.1",
    listenHost: "127.0.0.1",
    driverPort: driver.driverPort,
    blockManagerPort: driver.blockManagerPort,
    connectPort: port,
    localFolder: scratchFolder,
    warehouseFolder: `${files.data}/warehouse`,
  });
  // spark-submit would read the file by itself, and take a second longer to start.
  const properties = readProperties(readFileSync(`${files.config}.conf`, "utf8"));
  return {
    ...sparkFiles(context, "spark"),
    needs: driver.needs,
    args: [
      ...javaArguments({
        engine: "spark",
        java: context.java,
        classPath: `${context.homes.spark}/jars/*`,
        heapMebibytes: driver.heapMebibytes,
        logFile: files.log,
        more: [...moduleOptions(context), ...[...properties].map(([name, value]) => `-D${name}=${value}`)],
      }),
      "org.apache.spark.sql.connect.service.SparkConnectServer",
    ],
    scratchFolder,
    probe: {
      kind: "spark",
      port,
      ...(driver.masterPage !== undefined && {
        cluster: {
          masterPage: driver.masterPage,
          application: properties.get("spark.app.name") as string,
        },
      }),
    },
    address: `127.0.0.1:${port}`,
  };
}

function watcherSpec(
  context: PlanContext,
  name: "spark-master" | "spark-worker-1" | "spark-worker-2",
  mainClass: string,
  args: readonly string[],
): Omit<EngineSpec, "probe" | "address"> {
  const common = sparkFiles(context, name);
  return {
    ...common,
    needs: [],
    // Workers start their executors from SPARK_HOME.
    command: "env",
    args: [
      `SPARK_HOME=${context.homes.spark}`,
      "SPARK_SCALA_VERSION=2.13",
      "SPARK_LOCAL_IP=127.0.0.1",
      "java",
      ...javaArguments({
        engine: name === "spark-master" ? "spark-master" : "spark-worker",
        java: context.java,
        classPath: `${context.homes.spark}/jars/*`,
        heapMebibytes: watcherHeapMebibytes,
        logFile: common.logFile,
        quickCompilerOnly: true,
        more: [
          ...moduleOptions(context),
          ...(name === "spark-master" ? masterProperties(sparkRecoveryFolder(context.folder)) : []),
        ],
      }),
      mainClass,
      ...args,
    ],
  };
}

/** The folder in which the master stores its state for recovery. */
export function sparkRecoveryFolder(folder: string): string {
  return `${engineFiles(folder, "spark-master").data}/recovery`;
}

function masterProperties(recoveryFolder: string): string[] {
  return [
    // Otherwise any client that reaches it could submit programs; this port is not used.
    "-Dspark.master.rest.enabled=false",
    // A restarted master must know its workers and applications: otherwise their driver waits forever.
    "-Dspark.deploy.recoveryMode=FILESYSTEM",
    `-Dspark.deploy.recoveryDirectory=${recoveryFolder}`,
    // Seconds that it waits for known workers and drivers that do not answer.
    "-Dspark.deploy.recoveryTimeout=15",
    // By default the master ends an application after 10 consecutive failures of executors; executors may fail for a
    // long time.
    "-Dspark.deploy.maxExecutorRetries=-1",
  ];
}

function sparkFiles(
  context: PlanContext,
  name: EngineSpec["name"],
): Pick<
  EngineSpec,
  "name" | "command" | "workFolder" | "logFile" | "outputFile" | "readyLimitMs" | "stopGraceMs"
> {
  const files = engineFiles(context.folder, name);
  return {
    name,
    command: "java",
    workFolder: files.data,
    logFile: files.log,
    outputFile: files.output,
    readyLimitMs: 180_000,
    stopGraceMs: 20_000,
  };
}

/** The JVM options that Spark needs, printed by Spark itself during installation. */
function moduleOptions({ homes }: PlanContext): string[] {
  return readFileSync(`${homes.spark}/module-options.txt`, "utf8").trim().split(/\s+/);
}
