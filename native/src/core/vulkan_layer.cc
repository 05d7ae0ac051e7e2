// A Vulkan layer with one purpose: to show Dawn one of several devices, because webgpu.h can neither list nor name them.
// SYNGLOT_VULKAN_DEVICE holds that device's place in the loader's order; without it Dawn sees them all. The devices that
// it saw are remembered for TypeScript to read, whichever Dawn asked, ours or npm webgpu's. A device's own functions do
// not pass through the layer.
//
// Declares the few structs that it needs of vulkan_core.h and vk_layer.h, whose layouts are frozen: the loader's
// interface for layers, version 2 (https://github.com/KhronosGroup/Vulkan-Loader/blob/main/docs/LoaderLayerInterface.md).
#include "vulkan_layer.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string_view>
#include <utility>

#ifdef __linux__
namespace synglot {
namespace {

using Result = int32_t;
using Instance = struct InstanceHandle*;
using PhysicalDevice = struct PhysicalDeviceHandle*;
using Function = void (*)();
using GetInstanceProcAddr = Function (*)(Instance, const char*);
using CreateInstance = Result (*)(const void*, const void*, Instance*);
using DestroyInstance = void (*)(Instance, const void*);
using EnumeratePhysicalDevices = Result (*)(Instance, uint32_t*, PhysicalDevice*);
using GetPhysicalDeviceProperties2 = void (*)(PhysicalDevice, void*);

constexpr Result kSuccess = 0;
constexpr Result kIncomplete = 5;
constexpr Result kInitializationFailed = -3;

struct Chained {
  uint32_t type;
  Chained* next;
};
constexpr uint32_t kLoaderInstanceCreateInfo = 47;
constexpr uint32_t kPhysicalDeviceProperties2 = 1000059001;
constexpr uint32_t kPciBusInfoProperties = 1000212000;

struct LayerLink {
  LayerLink* next;
  GetInstanceProcAddr next_get_instance_proc_addr;
  Function next_get_physical_device_proc_addr;
};
struct LayerInstanceCreateInfo {
  uint32_t type;
  const void* next;
  int32_t function;  // 0: the union holds the link
  LayerLink* link;
};
struct NegotiateLayerInterface {
  uint32_t type;
  void* next;
  uint32_t version;
  GetInstanceProcAddr get_instance_proc_addr;
  Function get_device_proc_addr;
  Function get_physical_device_proc_addr;
};
struct PciBusInfo {
  uint32_t type = kPciBusInfoProperties;
  void* next = nullptr;
  // A driver that does not know this struct leaves it as it is.
  uint32_t domain = UINT32_MAX, bus = 0, device = 0, function = 0;
};
struct Properties2 {
  uint32_t type = kPhysicalDeviceProperties2;
  void* next = nullptr;
  uint32_t api_version = 0, driver_version = 0, vendor_id = 0, device_id = 0, device_type = 0;
  char name[256] = {};
  // The pipeline cache's UUID, limits and sparse properties: 540 bytes, and room to spare.
  alignas(8) unsigned char rest[1024] = {};
};

/** The next layer's functions, fetched while the instance is made: later the loader would answer with our own. */
struct Next {
  GetInstanceProcAddr get_instance_proc_addr = nullptr;
  DestroyInstance destroy = nullptr;
  EnumeratePhysicalDevices enumerate = nullptr;
  GetPhysicalDeviceProperties2 get_properties = nullptr;
};

std::mutex mutex;
std::map<Instance, Next> next_of;
std::vector<VulkanDevice> seen;

Next next_layer(Instance instance) {
  const std::lock_guard lock(mutex);
  const auto found = next_of.find(instance);
  return found == next_of.end() ? Next{} : found->second;
}

VulkanDevice describe(PhysicalDevice device, GetPhysicalDeviceProperties2 get_properties) {
  // Indexed by VkPhysicalDeviceType.
  constexpr std::array kTypes = {"unknown", "integrated-gpu", "discrete-gpu", "unknown", "cpu"};
  Properties2 properties;
  get_properties(device, &properties);
  VulkanDevice result{std::string(properties.name, strnlen(properties.name, sizeof properties.name)), "unknown", {}};
  if (properties.device_type < kTypes.size()) result.type = kTypes[properties.device_type];
  // A software device sits on no bus, and SwiftShader complains when asked.
  if (std::string_view(result.type) == "cpu") return result;
  PciBusInfo pci;
  properties.next = &pci;
  get_properties(device, &properties);
  if (pci.domain != UINT32_MAX) {
    char text[32];
    std::snprintf(text, sizeof text, "%04x:%02x:%02x.%x", pci.domain, pci.bus, pci.device, pci.function);
    result.pci = text;
  }
  return result;
}

Result enumerate_physical_devices(Instance instance, uint32_t* count, PhysicalDevice* devices) {
  const Next next = next_layer(instance);
  if (next.enumerate == nullptr) return kInitializationFailed;
  uint32_t total = 0;
  if (const Result result = next.enumerate(instance, &total, nullptr); result != kSuccess) return result;
  std::vector<PhysicalDevice> all(total);
  if (const Result result = next.enumerate(instance, &total, all.data()); result != kSuccess) return result;
  all.resize(total);
  {
    const std::lock_guard lock(mutex);
    seen.clear();
    for (PhysicalDevice device : all) seen.push_back(next.get_properties != nullptr ? describe(device, next.get_properties) : VulkanDevice{});
  }
  if (const char* text = std::getenv("SYNGLOT_VULKAN_DEVICE"); text != nullptr && *text != '\0') {
    const size_t place = std::strtoul(text, nullptr, 10);
    // An error, not an empty list: Mesa's own layer above this one cannot cope with that.
    if (place >= all.size()) return kInitializationFailed;
    all = {all[place]};
  }
  if (devices == nullptr) {
    *count = static_cast<uint32_t>(all.size());
    return kSuccess;
  }
  const uint32_t room = *count;
  *count = std::min(room, static_cast<uint32_t>(all.size()));
  std::copy_n(all.begin(), *count, devices);
  return room < all.size() ? kIncomplete : kSuccess;
}

Result create_instance(const void* create_info, const void* allocator, Instance* instance) {
  // The loader lets each layer take its link out of the chain.
  const auto* chained = static_cast<const Chained*>(create_info)->next;
  const auto is_link = [](const Chained* one) {
    return one->type == kLoaderInstanceCreateInfo && reinterpret_cast<const LayerInstanceCreateInfo*>(one)->function == 0;
  };
  while (chained != nullptr && !is_link(chained)) chained = chained->next;
  if (chained == nullptr) return kInitializationFailed;
  auto* info = reinterpret_cast<LayerInstanceCreateInfo*>(const_cast<Chained*>(chained));
  const GetInstanceProcAddr next = info->link->next_get_instance_proc_addr;
  info->link = info->link->next;
  const auto create = reinterpret_cast<CreateInstance>(next(nullptr, "vkCreateInstance"));
  if (create == nullptr) return kInitializationFailed;
  const Result result = create(create_info, allocator, instance);
  if (result != kSuccess) return result;
  const std::lock_guard lock(mutex);
  next_of[*instance] = {
      next,
      reinterpret_cast<DestroyInstance>(next(*instance, "vkDestroyInstance")),
      reinterpret_cast<EnumeratePhysicalDevices>(next(*instance, "vkEnumeratePhysicalDevices")),
      reinterpret_cast<GetPhysicalDeviceProperties2>(next(*instance, "vkGetPhysicalDeviceProperties2")),
  };
  return kSuccess;
}

void destroy_instance(Instance instance, const void* allocator) {
  const Next next = next_layer(instance);
  {
    const std::lock_guard lock(mutex);
    next_of.erase(instance);
  }
  if (next.destroy != nullptr) next.destroy(instance, allocator);
}

Function get_instance_proc_addr(Instance instance, const char* name) {
  const std::string_view wanted(name);
  if (wanted == "vkGetInstanceProcAddr") return reinterpret_cast<Function>(get_instance_proc_addr);
  if (wanted == "vkCreateInstance") return reinterpret_cast<Function>(create_instance);
  if (wanted == "vkDestroyInstance") return reinterpret_cast<Function>(destroy_instance);
  if (wanted == "vkEnumeratePhysicalDevices") return reinterpret_cast<Function>(enumerate_physical_devices);
  const GetInstanceProcAddr next = next_layer(instance).get_instance_proc_addr;
  return next == nullptr ? nullptr : next(instance, name);
}

}  // namespace

std::vector<VulkanDevice> take_vulkan_devices() {
  const std::lock_guard lock(mutex);
  return std::exchange(seen, {});
}

/** The first function of a layer that the loader calls. */
extern "C" __attribute__((visibility("default"))) Result vkNegotiateLoaderLayerInterfaceVersion(NegotiateLayerInterface* interface) {
  if (interface == nullptr || interface->version < 2) return kInitializationFailed;
  interface->version = 2;
  interface->get_instance_proc_addr = get_instance_proc_addr;
  // The layer intercepts no function of a device, so the loader leaves it out of their chain.
  interface->get_device_proc_addr = nullptr;
  interface->get_physical_device_proc_addr = nullptr;
  return kSuccess;
}

}  // namespace synglot
#else
namespace synglot {
std::vector<VulkanDevice> take_vulkan_devices() { return {}; }
}  // namespace synglot
#endif
