// The Vulkan devices that the loader last listed for a Dawn in this process. The layer itself is in vulkan_layer.cc;
// the loader finds it through vulkan-layer/synglot_choose_device.json, when TypeScript asks it to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace synglot {

struct VulkanDevice {
  std::string name;
  /** As in `NativeAdapterInfo`. */
  const char* type = "unknown";
  /** `0000:3b:00.0`, as nvidia-smi and lspci print it; empty where the driver does not report it. */
  std::string pci;
};

/** All devices, in the loader's order, not only the one shown; empty unless the layer was used since the last call. */
std::vector<VulkanDevice> take_vulkan_devices();

}  // namespace synglot
