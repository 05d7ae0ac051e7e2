/** Sets environment variables of this process for a while: the only way to tell the Vulkan loader anything. */

/** Runs `work` with the variables set, then restores their old values. Calls must not overlap. */
export async function withEnvironment<T>(
  variables: Readonly<Record<string, string>>,
  work: () => Promise<T>,
): Promise<T> {
  const saved = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  // Node's assignment calls setenv: the loader's getenv sees it.
  Object.assign(process.env, variables);
  try {
    return await work();
  } finally {
    for (const [name, value] of saved) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}
