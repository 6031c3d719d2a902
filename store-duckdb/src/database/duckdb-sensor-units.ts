import { builtInSensors, type SensorCatalog, type SensorName } from "@devicemesh/proto";
import type { DuckDBConnection } from "@duckdb/node-api";
import { StoreOpenError } from "./duckdb-database.ts";
import type { DuckdbTransactions } from "./duckdb-writes.ts";

/**
 * Compares the units of the catalog with those in which the readings were stored, records the units of sensors without
 * readings, and returns those of the others: stored values keep their meaning whatever the catalog contains later. A
 * sensor that was stored without a unit may get one, because nothing else gives its values a meaning.
 * @throws StoreOpenError that names each sensor whose unit has changed.
 */
export async function settleSensorUnits(
  connection: DuckDBConnection,
  {
    catalog,
    file,
    transactions,
  }: {
    readonly catalog: SensorCatalog;
    readonly file: string;
    readonly transactions: Pick<DuckdbTransactions, "run">;
  },
): Promise<ReadonlyMap<SensorName, string>> {
  const rows = async (sql: string) => (await connection.runAndReadAll(sql)).getRows() as string[][];
  const recorded = new Map((await rows("FROM sensor_units")) as [string, string][]);
  const names = (await rows("SELECT DISTINCT sensor FROM series")).map(([name]) => name as string);
  // A folder of a version before catalogs has only sensors of device types, in the contract's units.
  const before = new Map(builtInSensors.map(({ sensor, unit }) => [sensor, unit]));
  const isFirst = recorded.size === 0;
  const stored = new Map(
    names.map((name) => [name, recorded.get(name) ?? (isFirst ? before.get(name) : undefined) ?? ""]),
  );
  const changed = [...stored].flatMap(([name, unit]) => {
    const now = catalog.get(name)?.unit;
    return unit === "" || now === undefined || now === unit
      ? []
      : [`${name} is stored in ${unit}, not in ${now}`];
  });
  if (changed.length > 0) {
    throw new StoreOpenError(
      `the store ${file} has readings in other units than the sensor catalog: ${changed.join("; ")}. Set the units back in the file of --sensors, add sensors of other names, or choose another folder with --data`,
    );
  }
  for (const [name, unit] of stored) {
    if (unit === "") stored.set(name, catalog.get(name)?.unit ?? "");
  }
  const units = new Map([...catalog.sensors.map(({ sensor, unit }) => [sensor, unit] as const), ...stored]);
  if (!isSame(units, recorded)) {
    const values = [...units].map(([name, unit]) => `(${quoted(name)}, ${quoted(unit)})`);
    await transactions.run(connection, async () => {
      await connection.run("DELETE FROM sensor_units");
      await connection.run(`INSERT INTO sensor_units VALUES ${values.join(", ")}`);
    });
  }
  return stored;
}

/** Most starts change nothing, and write nothing. */
function isSame(units: ReadonlyMap<string, string>, recorded: ReadonlyMap<string, string>): boolean {
  return units.size === recorded.size && [...units].every(([name, unit]) => recorded.get(name) === unit);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
