/** A sensor that readings can be of. */
export type KnownSensor = {
  readonly sensor: string;
  /** Its place in the columns of the outbox. */
  readonly code: number;
  readonly unit: string;
  readonly minimum: number;
  readonly maximum: number;
};

/** Finds sensors by their names. */
export type SensorLookup = {
  /** The sensor of that name or other name, in lower case with `_` between words. */
  find(name: string): KnownSensor | undefined;
};
