/** Writes float32 tensors to a safetensors file, all or nothing. */

import { writeFileAtomic, writePieces } from '../files.js';
import { formatSafetensors, type TensorSource } from './format.js';

/**
 * Writes a safetensors file of F32 tensors, all or nothing.
 *
 * @throws ModelError `INPUT_DISK` on a full disk; the temporary file is removed.
 */
export async function writeSafetensors(path: string, tensors: Iterable<TensorSource>): Promise<void> {
  const contents = formatSafetensors(tensors);
  await writeFileAtomic(path, (handle) => writePieces(handle, contents.pieces()));
}
