/** JSON files of a model, from wherever it is, with clear errors. */
import { modelSource } from '#model-source';
import { checkpointError } from './errors.js';
import { describe, isJsonObject, type JsonObject, parseJson } from './json.js';

/** Reads a JSON file. */
export async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = new TextDecoder().decode(await modelSource.readBytes(path));
  } catch (error) {
    throw checkpointError(
      modelSource.isMissing(error)
        ? `${path}: missing; check the path, and that the folder is whole`
        : `${path}: cannot be read (${modelSource.reason(error)})`,
      error,
    );
  }
  return parseJson(text, path, 'get the file again or repair it');
}

/** Reads a JSON file that must hold an object. */
export async function readJsonObject(path: string): Promise<JsonObject> {
  const value = await readJson(path);
  if (!isJsonObject(value)) {
    throw checkpointError(`${path}:1: expected a JSON object, found ${describe(value)}`);
  }
  return value;
}

/** Reads a JSON object if the file exists. */
export async function readJsonObjectIfPresent(path: string): Promise<JsonObject | undefined> {
  return (await modelSource.isFile(path)) ? readJsonObject(path) : undefined;
}
