/** Before any test: kernels are tested as they stand in `kernels/wgsl`, not as they were last generated. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export default function checkCatalogue(): void {
  const generator = fileURLToPath(new URL('../../kernels/scripts/generate-catalogue.mjs', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [generator, '--check'], { encoding: 'utf8' });
  if (status === 0) return;
  // Thrown, it would come with two stacks and a claim that there are no tests.
  console.error(stderr.trim());
  process.exit(1);
}
