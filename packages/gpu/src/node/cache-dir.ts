/** Where synglot keeps what it can regenerate: pipelines and the stub Vulkan loader. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** `$XDG_CACHE_HOME/synglot`, else `~/.cache/synglot`. */
export function defaultCacheDir(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'synglot');
}
