/** A part of a benchmark that fails costs the others nothing: they are measured and written, and the process ends with 1. */

export interface FailedPart {
  readonly name: string;
  readonly error: string;
}

/** What `measure` gives; undefined if it fails, which is told and added to `failed`. */
export async function unlessItFails<T>(
  failed: FailedPart[],
  name: string,
  measure: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await measure();
  } catch (cause) {
    const error = (cause as Error).message.replaceAll('\n', ' ');
    console.error(`${name} failed: ${error}`);
    failed.push({ name, error });
    process.exitCode = 1;
    return undefined;
  }
}
