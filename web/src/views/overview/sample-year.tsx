/** A place for the recording of a year; the server does not offer it yet. */
export function SampleYear() {
  return null;
}
