/** Makes another program find the Vulkan driver of this test run. */
import { driverVariables, lavapipeIcd, swiftShaderIcd } from '../../packages/gpu/src/node/vulkan-driver.js';

const drivers: Readonly<Record<string, () => string | undefined>> = {
  lavapipe: lavapipeIcd,
  swiftshader: swiftShaderIcd,
};

/** Variables to be added; none where the device of the run is a GPU. */
export function driverEnvironment(): Record<string, string> {
  const driver = drivers[process.env.SYNGLOT_DEVICE ?? 'swiftshader']?.();
  return driver === undefined ? {} : Object.fromEntries(driverVariables.map((name) => [name, driver]));
}
