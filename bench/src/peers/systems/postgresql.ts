import { spawnSync } from "node:child_process";
import { chownSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { freePorts } from "@devicemesh/engines/plans/free-ports";
import pg from "pg";
import { PeerMissing, type PeerOptions, type StorePeer } from "../peer.ts";
import { diskBytes, startPeerProcess } from "../processes.ts";
import type { PeerAnswer, PeerQuestion } from "../questions.ts";
import type { BenchReading } from "../readings.ts";
import { findProgram, postgresFolders } from "./install.ts";

/** The uid of Debian's user without rights: PostgreSQL refuses to run as root. */
const unprivilegedUid = 65534;

/** PostgreSQL with the usual table of readings: a primary key that rejects duplicates, and an index on the time. */
export async function startPostgresql({ folder }: PeerOptions): Promise<StorePeer> {
  const initdb = findProgram("initdb", postgresFolders());
  const command = findProgram("postgres", postgresFolders());
  if (!initdb || !command) throw new PeerMissing("postgres and initdb (Debian: apt-get install postgresql)");
  const uid = process.getuid?.() === 0 ? unprivilegedUid : undefined;
  const data = join(folder, "data");
  await mkdir(data, { recursive: true, mode: 0o700 });
  if (uid !== undefined) for (const one of [folder, data]) chownSync(one, uid, uid);
  const made = spawnSync(initdb, ["-D", data, "-U", "bench", "-A", "trust", "--no-locale", "-E", "UTF8"], {
    encoding: "utf8",
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`);
  const [port = 0] = await freePorts(1);
  const connection = { host: "127.0.0.1", port, user: "bench", database: "postgres" };
  const settings = {
    listen_addresses: "127.0.0.1",
    port,
    unix_socket_directories: "",
    shared_buffers: "1GB",
    max_wal_size: "4GB",
    wal_compression: "lz4",
    autovacuum: "on",
  };
  const server = await startPeerProcess({
    command,
    args: ["-D", data, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])],
    ...(uid === undefined ? {} : { uid }),
    ready: () => answers(connection),
    stopSignal: "SIGINT",
  });
  const pool = new pg.Pool({ ...connection, max: 4 });
  // An idle connection that the server ends at its shutdown.
  pool.on("error", () => {});
  await pool.query(
    `CREATE TABLE readings (
       device text NOT NULL, sensor text NOT NULL, time timestamptz NOT NULL, value double precision NOT NULL,
       PRIMARY KEY (device, sensor, time) INCLUDE (value))`,
  );
  await pool.query("CREATE INDEX readings_by_time ON readings (sensor, time) INCLUDE (value)");
  const { rows } = await pool.query<{ server_version: string }>("SHOW server_version");
  return {
    version: `PostgreSQL ${rows[0]?.server_version.split(" ")[0]}`,
    settings:
      "shared_buffers 1 GB, max_wal_size 4 GB; primary key (device, sensor, time) and index (sensor, time), both with the value; INSERT … ON CONFLICT DO NOTHING; VACUUM ANALYZE after the load",
    durable: true,
    batchSize: 10_000,
    send: (readings) => insert(pool, readings),
    async settle() {
      await pool.query("VACUUM (ANALYZE) readings");
    },
    ask: (question) => ask(pool, question),
    cpuMs: server.cpuMs,
    memoryMib: server.memoryMib,
    diskBytes: () => diskBytes(join(data, "base")),
    async [Symbol.asyncDispose]() {
      await pool.end();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function answers(connection: pg.ClientConfig): Promise<boolean> {
  const client = new pg.Client(connection);
  client.on("error", () => {});
  try {
    await client.connect();
    return true;
  } finally {
    await client.end();
  }
}

/** Rows are sorted by their key, so that transactions with a common duplicate wait for each other in one order. */
async function insert(pool: pg.Pool, readings: readonly BenchReading[]): Promise<void> {
  const sorted = readings.toSorted((a, b) =>
    a.deviceId < b.deviceId ? -1 : a.deviceId > b.deviceId ? 1 : a.timestampMs - b.timestampMs,
  );
  await pool.query({
    name: "insert",
    text: `INSERT INTO readings SELECT device, sensor, to_timestamp(ms / 1000), value
           FROM unnest($1::text[], $2::text[], $3::double precision[], $4::double precision[]) AS r (device, sensor, ms, value)
           ON CONFLICT DO NOTHING`,
    values: [
      sorted.map(({ deviceId }) => deviceId),
      sorted.map(({ sensor }) => sensor),
      sorted.map(({ timestampMs }) => timestampMs),
      sorted.map(({ value }) => value),
    ],
  });
}

type Row = {
  readonly count: string;
  readonly average: number | null;
  readonly minimum: number | null;
  readonly maximum: number | null;
};

async function ask(pool: pg.Pool, { sensor, deviceId, sinceMs, toMs }: PeerQuestion): Promise<PeerAnswer> {
  const one = deviceId !== undefined;
  const { rows } = await pool.query<Row>({
    name: one ? "one" : "all",
    text: `SELECT count(*), avg(value) AS average, min(value) AS minimum, max(value) AS maximum FROM readings
           WHERE sensor = $1 AND time >= to_timestamp($2::double precision / 1000)
             AND time < to_timestamp($3::double precision / 1000)${one ? " AND device = $4" : ""}`,
    values: [sensor, sinceMs, toMs, ...(one ? [deviceId] : [])],
  });
  const [row] = rows;
  const count = Number(row?.count ?? 0);
  return count === 0
    ? { count }
    : { count, average: row!.average!, minimum: row!.minimum!, maximum: row!.maximum! };
}
