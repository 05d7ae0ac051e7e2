/** JSON files of a model, from wherever it is, with clear errors. */
import { modelSource } from '#model-source';
import { checkpointError } from './errors.js';
import { describe, isJsonObject, type JsonObject, parseJson } from './json.js';

/** Reads a JSON file. */
async function readJson(path: string): Promise<unknown> {
  let bytes: Uint8Array;
  try {
    bytes = await modelSource.readBytes(path);
  } catch (error) {
    throw checkpointError(
      modelSource.isMissing(error)
        ? `${path}: missing; check the path, and that the folder is whole`
        : `${path}: cannot be read (${modelSource.reason(error)})`,
      error,
    );
  }
  return parse(bytes, path);
}

/** Reads a JSON file if there is one. */
export async function readJsonIfPresent(path: string): Promise<unknown> {
  const bytes = await modelSource.readBytesIfPresent(path);
  return bytes && parse(bytes, path);
}

/** Reads a JSON file that must hold an object. */
export async function readJsonObject(path: string): Promise<JsonObject> {
  return asObject(await readJson(path), path);
}

/** Reads a JSON object if the file exists. */
export async function readJsonObjectIfPresent(path: string): Promise<JsonObject | undefined> {
  const value = await readJsonIfPresent(path);
  return value === undefined ? undefined : asObject(value, path);
}

function parse(bytes: Uint8Array, path: string): unknown {
  return parseJson(new TextDecoder().decode(bytes), path, 'get the file again or repair it');
}

function asObject(value: unknown, path: string): JsonObject {
  if (isJsonObject(value)) return value;
  throw checkpointError(`${path}:1: expected a JSON object, found ${describe(value)}`);
}
