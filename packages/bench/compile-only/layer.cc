// A Vulkan layer for a driver that has a compiler and no hardware (Mesa's RADV with RADV_FORCE_FAMILY, or NVK on
// nouveau.cc): pipelines are made, and what the compiler tells of each goes to the file that SYNGLOT_COMPILE_ONLY names, a
// line of JSON a pipeline: `subgroup` its size, `statistics` and `representations` as the driver names them. What such a
// driver cannot do (memory, recording) does nothing; submissions fail, so that nothing here can pass for a device that
// computes. With SYNGLOT_RECORD_NOTHING set it is for any driver, which is then handed no command of a compute pass: what
// is left is Dawn's part of a dispatch.
//
// Built by ../src/compile-only.ts alone: no part of the addon. One device at a time. Declares what it needs of
// vulkan_core.h and vk_layer.h, whose layouts are frozen, for the 64-bit systems that RADV is on.
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Result = int32_t;
using Instance = struct InstanceHandle*;
using PhysicalDevice = struct PhysicalDeviceHandle*;
using Device = struct DeviceHandle*;
using Object = uint64_t;  // handles of what a device makes
using Function = void (*)();
using GetInstanceProcAddr = Function (*)(Instance, const char*);
using GetDeviceProcAddr = Function (*)(Device, const char*);

constexpr Result kSuccess = 0;
constexpr Result kOutOfHostMemory = -1;
constexpr Result kInitializationFailed = -3;
constexpr Result kDeviceLost = -4;

struct Chained {
  uint32_t type;
  const Chained* next;
};
template <class Proc>
struct LayerLink {
  LayerLink* next;
  GetInstanceProcAddr get_instance_proc_addr;
  Proc next_proc_addr;  // of a physical device in an instance's link, of a device in a device's
};
template <class Proc>
struct LayerCreateInfo {
  uint32_t type;
  const void* next;
  int32_t function;  // 0: the union holds the link
  LayerLink<Proc>* link;
};
using InstanceLink = LayerCreateInfo<Function>;
using DeviceLink = LayerCreateInfo<GetDeviceProcAddr>;
struct NegotiateLayerInterface {
  uint32_t type;
  void* next;
  uint32_t version;
  GetInstanceProcAddr get_instance_proc_addr;
  GetDeviceProcAddr get_device_proc_addr;
  Function get_physical_device_proc_addr;
};
struct DeviceCreateInfo {
  uint32_t type;
  const void* next;
  uint32_t flags, queue_count;
  const void* queues;
  uint32_t layer_count;
  const char* const* layers;
  uint32_t extension_count;
  const char* const* extensions;
  const void* features;
};
struct ExecutablePropertiesFeatures {
  uint32_t type = 1000269000;
  const void* next;
  uint32_t enabled = 1;
};
struct ComputePipelineCreateInfo {
  uint32_t type;
  const void* next;
  uint32_t flags;
  uint64_t stage[6];
  Object layout, base;
  int32_t base_index;
};
constexpr uint32_t kCaptureStatistics = 0x40, kCaptureRepresentations = 0x80;
struct PipelineInfo {
  uint32_t type = 1000269001;
  const void* next = nullptr;
  Object pipeline;
};
struct Executable {
  uint32_t type = 1000269002;
  void* next = nullptr;
  uint32_t stages = 0;
  char name[256] = {}, description[256] = {};
  uint32_t subgroup_size = 0;
};
struct ExecutableInfo {
  uint32_t type = 1000269003;
  const void* next = nullptr;
  Object pipeline;
  uint32_t index;
};
struct Statistic {
  uint32_t type = 1000269004;
  void* next = nullptr;
  char name[256] = {}, description[256] = {};
  uint32_t format = 0;
  union {
    uint32_t boolean;
    int64_t integer;
    uint64_t natural = 0;
    double real;
  };
};
struct Representation {
  uint32_t type = 1000269005;
  void* next = nullptr;
  char name[256] = {}, description[256] = {};
  uint32_t is_text = 0;
  size_t size = 0;
  void* data = nullptr;
};
struct MemoryRequirements {
  uint64_t size, alignment;
  uint32_t memory_types;
};
struct MemoryProperties {
  uint32_t type_count;
  struct {
    uint32_t flags, heap;
  } types[32];
  uint32_t heap_count;
  struct {
    uint64_t size;
    uint32_t flags;
  } heaps[16];
};
struct MemoryAllocateInfo {
  uint32_t type;
  const void* next;
  uint64_t size;
  uint32_t memory_type;
};

/** Whether it is for a driver that can do all, and passes on all but the commands of compute passes. */
bool records_nothing() { return std::getenv("SYNGLOT_RECORD_NOTHING") != nullptr; }

/** What comes after this layer. */
struct {
  Instance instance;
  GetInstanceProcAddr get_instance_proc_addr;
  GetDeviceProcAddr get_device_proc_addr;
} next;

template <class Type>
Type* next_function(Device device, const char* name) {
  return reinterpret_cast<Type*>(next.get_device_proc_addr(device, name));
}

template <class Type>
Function function(Type* which) {
  return reinterpret_cast<Function>(which);
}

// What the compiler tells.

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char each : text) {
    if (each == '"' || each == '\\') result += '\\';
    if (each == '\n') {
      result += "\\n";
    } else if (static_cast<unsigned char>(each) >= ' ') {
      result += each;
    } else {
      result += ' ';
    }
  }
  return result + '"';
}

std::string number(const Statistic& statistic) {
  char text[32];
  switch (statistic.format) {
    case 0:
      return std::to_string(statistic.boolean);
    case 1:
      return std::to_string(statistic.integer);
    case 2:
      return std::to_string(statistic.natural);
    default:
      std::snprintf(text, sizeof text, "%g", statistic.real);
      return text;
  }
}

/** Vulkan's way to hand out lists: how many, then all of them. */
template <class Item, class Info>
std::vector<Item> list(Device device, const char* name, const Info& info) {
  const auto get = next_function<Result(Device, const Info*, uint32_t*, Item*)>(device, name);
  uint32_t count = 0;
  get(device, &info, &count, nullptr);
  std::vector<Item> items(count);
  get(device, &info, &count, items.data());
  return items;
}

/** The code in the forms that the driver shows it, by name. */
std::string representations(Device device, const ExecutableInfo& executable) {
  constexpr const char* kGet = "vkGetPipelineExecutableInternalRepresentationsKHR";
  auto all = list<Representation>(device, kGet, executable);
  std::vector<std::vector<char>> texts;
  for (Representation& each : all) each.data = texts.emplace_back(each.size + 1).data();
  uint32_t count = static_cast<uint32_t>(all.size());
  next_function<Result(Device, const ExecutableInfo*, uint32_t*, Representation*)>(device, kGet)(device, &executable, &count, all.data());
  std::string result;
  for (const Representation& each : all) {
    if (each.is_text == 0) continue;
    result += (result.empty() ? "" : ",") + quoted(each.name) + ":" + quoted(static_cast<const char*>(each.data));
  }
  return result;
}

void tell(Device device, Object pipeline) {
  const char* path = std::getenv("SYNGLOT_COMPILE_ONLY");
  FILE* file = path == nullptr ? nullptr : std::fopen(path, "a");
  if (file == nullptr) return;
  const PipelineInfo info{.pipeline = pipeline};
  const auto executables = list<Executable>(device, "vkGetPipelineExecutablePropertiesKHR", info);
  for (uint32_t index = 0; index < executables.size(); index++) {
    const ExecutableInfo executable{.pipeline = pipeline, .index = index};
    std::string statistics;
    for (const Statistic& each : list<Statistic>(device, "vkGetPipelineExecutableStatisticsKHR", executable)) {
      statistics += (statistics.empty() ? "" : ",") + quoted(each.name) + ":" + number(each);
    }
    std::fprintf(file, "{\"subgroup\":%u,\"statistics\":{%s},\"representations\":{%s}}\n", executables[index].subgroup_size, statistics.c_str(),
                 representations(device, executable).c_str());
  }
  std::fclose(file);
}

Result create_compute_pipelines(Device device, Object, uint32_t count, const ComputePipelineCreateInfo* infos, const void* allocator,
                                Object* pipelines) {
  std::vector<ComputePipelineCreateInfo> asked(infos, infos + count);
  for (auto& each : asked) each.flags |= kCaptureStatistics | kCaptureRepresentations;
  using Create = Result(Device, Object, uint32_t, const ComputePipelineCreateInfo*, const void*, Object*);
  // Without the cache: what comes out of it has nothing to tell.
  const Result result = next_function<Create>(device, "vkCreateComputePipelines")(device, 0, count, asked.data(), allocator, pipelines);
  if (result != kSuccess) return result;
  for (uint32_t index = 0; index < count; index++) tell(device, pipelines[index]);
  return result;
}

// What stands in for hardware.

Result done() { return kSuccess; }
Result lost() { return kDeviceLost; }

void get_buffer_memory_requirements(Device device, Object buffer, MemoryRequirements* requirements) {
  next_function<void(Device, Object, MemoryRequirements*)>(device, "vkGetBufferMemoryRequirements")(device, buffer, requirements);
  requirements->memory_types = 1;
}

void get_memory_properties(PhysicalDevice, MemoryProperties* properties) {
  *properties = {};
  properties->type_count = properties->heap_count = 1;
  properties->types[0].flags = 0b1111;  // on the device, mapped, coherent, cached
  properties->heaps[0] = {uint64_t{64} << 30, 1};
}

// Pages of zeros, of which none is touched unless the host writes to it.
Result allocate_memory(Device, const MemoryAllocateInfo* info, const void*, void** memory) {
  *memory = std::calloc(1, info->size);
  return *memory == nullptr ? kOutOfHostMemory : kSuccess;
}

void free_memory(Device, void* memory, const void*) { std::free(memory); }

Result map_memory(Device, char* memory, uint64_t offset, uint64_t, uint32_t, void** data) {
  *data = memory + offset;
  return kSuccess;
}

// The loader's interface for layers, version 2.

Function get_device_proc_addr(Device device, const char* name);

/** Takes this layer's link out of the chain, as each layer does. */
template <class Info>
auto* take_link(const void* chain, uint32_t type) {
  const auto* each = static_cast<const Chained*>(chain);
  while (each != nullptr && (each->type != type || reinterpret_cast<const Info*>(each)->function != 0)) each = each->next;
  auto* info = reinterpret_cast<Info*>(const_cast<Chained*>(each));
  auto* link = info == nullptr ? nullptr : info->link;
  if (link != nullptr) info->link = link->next;
  return link;
}

Result create_instance(const Chained* info, const void* allocator, Instance* instance) {
  const auto* link = take_link<InstanceLink>(info->next, 47);
  if (link == nullptr) return kInitializationFailed;
  next.get_instance_proc_addr = link->get_instance_proc_addr;
  using Create = Result(const void*, const void*, Instance*);
  const auto create = reinterpret_cast<Create*>(next.get_instance_proc_addr(nullptr, "vkCreateInstance"));
  const Result result = create(info, allocator, instance);
  next.instance = *instance;
  return result;
}

Result create_device(PhysicalDevice physical, const DeviceCreateInfo* info, const void* allocator, Device* device) {
  const auto* link = take_link<DeviceLink>(info->next, 48);
  if (link == nullptr) return kInitializationFailed;
  next.get_device_proc_addr = link->next_proc_addr;
  using Create = Result(PhysicalDevice, const DeviceCreateInfo*, const void*, Device*);
  const auto create = reinterpret_cast<Create*>(link->get_instance_proc_addr(next.instance, "vkCreateDevice"));
  if (records_nothing()) return create(physical, info, allocator, device);
  std::vector<const char*> extensions(info->extensions, info->extensions + info->extension_count);
  extensions.push_back("VK_KHR_pipeline_executable_properties");
  const ExecutablePropertiesFeatures features{.next = info->next};
  DeviceCreateInfo asked = *info;
  asked.next = &features;
  asked.extension_count = static_cast<uint32_t>(extensions.size());
  asked.extensions = extensions.data();
  return create(physical, &asked, allocator, device);
}

Function get_device_proc_addr(Device device, const char* name) {
  const std::string_view wanted(name);
  if (wanted == "vkGetDeviceProcAddr") return function(get_device_proc_addr);
  if (records_nothing()) {
    for (const char* each : {"vkCmdBind", "vkCmdDispatch", "vkCmdPipelineBarrier"}) {
      if (wanted.starts_with(each)) return function(done);
    }
    return next.get_device_proc_addr(device, name);
  }
  if (wanted == "vkCreateComputePipelines") return function(create_compute_pipelines);
  if (wanted.starts_with("vkQueueSubmit")) return function(lost);
  constexpr std::array kNothing = {
      "vkCmd",           "vkBeginCommandBuffer", "vkEndCommandBuffer", "vkFreeCommandBuffers",
      "vkQueueWaitIdle", "vkBindBufferMemory",   "vkUnmapMemory",      "vkUpdateDescriptorSets",
  };
  for (const char* each : kNothing) {
    if (wanted.starts_with(each)) return function(done);
  }
  if (wanted == "vkGetBufferMemoryRequirements") return function(get_buffer_memory_requirements);
  if (wanted == "vkAllocateMemory") return function(allocate_memory);
  if (wanted == "vkFreeMemory") return function(free_memory);
  if (wanted == "vkMapMemory") return function(map_memory);
  return next.get_device_proc_addr(device, name);
}

Function get_instance_proc_addr(Instance instance, const char* name) {
  const std::string_view wanted(name);
  if (wanted == "vkGetInstanceProcAddr") return function(get_instance_proc_addr);
  if (wanted == "vkGetDeviceProcAddr") return function(get_device_proc_addr);
  if (wanted == "vkCreateInstance") return function(create_instance);
  if (wanted == "vkCreateDevice") return function(create_device);
  if (wanted == "vkGetPhysicalDeviceMemoryProperties" && !records_nothing()) return function(get_memory_properties);
  return next.get_instance_proc_addr == nullptr ? nullptr : next.get_instance_proc_addr(instance, name);
}

}  // namespace

/** What the loader asks the layer's library for first. */
extern "C" __attribute__((visibility("default"))) Result vkNegotiateLoaderLayerInterfaceVersion(NegotiateLayerInterface* interface) {
  if (interface == nullptr || interface->version < 2) return kInitializationFailed;
  interface->version = 2;
  interface->get_instance_proc_addr = get_instance_proc_addr;
  interface->get_device_proc_addr = get_device_proc_addr;
  interface->get_physical_device_proc_addr = nullptr;
  return kSuccess;
}
