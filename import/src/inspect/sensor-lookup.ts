/** A sensor of readings. */
export type KnownSensor = {
  readonly sensor: string;
  /** Its code in the columns of the outbox. */
  readonly code: number;
  readonly unit: string;
  readonly minimum: number;
  readonly maximum: number;
};

/** Finds sensors by their names. */
export type SensorLookup = {
  /** Returns the sensor with that name or alias, in lower case with `_` between words. */
  find(name: string): KnownSensor | undefined;
};
