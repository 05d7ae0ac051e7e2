// An NVIDIA GPU that is not there, for Mesa's NVK: answers what Linux would be asked through libdrm, as nouveau's
// driver does for the chip that SYNGLOT_CHIP names. NVK then opens and compiles for it; memory is a sparse file, nothing
// computes. Stands before libdrm once it is loaded for all to see, which a Node addon can be asked for (RTLD_GLOBAL).
//
// Built by ../src/compile-only.ts, loaded by ../src/null-device.ts alone, beside the layer: no part of the addon. Declares what it needs of
// xf86drm.h, nouveau_drm.h and nouveau's nvif/*.h, whose layouts are frozen.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

/** Its number by nouveau, a PCI device of its range that no card is, and its classes of commands: graphics, compute, copies. */
struct Chip {
  const char* name;
  uint16_t number, device;
  int32_t graphics, compute, copy;
};
constexpr std::array<Chip, 7> kChips = {{
    {"tu102", 0x162, 0x1eff, 0xc597, 0xc5c0, 0xc5b5},
    {"ga100", 0x170, 0x20ff, 0xc697, 0xc6c0, 0xc6b5},
    {"ga102", 0x172, 0x22ff, 0xc797, 0xc7c0, 0xc7b5},
    {"ad102", 0x192, 0x26ff, 0xc997, 0xc9c0, 0xc7b5},
    {"gh100", 0x180, 0x23ff, 0xcb97, 0xcbc0, 0xc8b5},
    {"gb100", 0x1a0, 0x29ff, 0xcd97, 0xcdc0, 0xc9b5},
    {"gb202", 0x1b2, 0x2bff, 0xce97, 0xcec0, 0xcab5},
}};
constexpr int32_t kInlineToMemory = 0xa140, kTwoDimensional = 0x902d;  // of all of them
constexpr uint16_t kNvidia = 0x10de;
constexpr uint64_t kMemoryBytes = uint64_t{64} << 30;

const Chip* chip() {
  const char* name = std::getenv("SYNGLOT_CHIP");
  for (const Chip& each : kChips) {
    if (name != nullptr && std::string_view(name) == each.name) return &each;
  }
  return nullptr;
}

struct PciBus {
  uint16_t domain;
  uint8_t bus, device, function;
};
struct PciDevice {
  uint16_t vendor, device, subvendor, subdevice;
  uint8_t revision;
};
struct DrmDevice {
  char** nodes;
  int available_nodes, bus_type;
  const PciBus* bus;
  const PciDevice* device;
};
struct DrmVersion {
  int major, minor, patch;
  int name_length;
  const char* name;
  int date_length;
  const char* date;
  int description_length;
  const char* description;
};
struct Param {
  uint64_t param, value;
};
struct Channel {
  uint32_t framebuffer, texture;
  int32_t channel;
  uint32_t domains;
};
struct Buffer {
  uint32_t handle, domain;
  uint64_t size, offset, map_offset;
  uint32_t tile_mode, tile_flags;
};
struct Nvif {
  uint8_t version, type, reserved[4], owner, route;
  uint64_t token, object;
};
struct NvifMethod : Nvif {
  uint8_t method_version, method, reserved[6];
};
struct NvifDeviceInfo : NvifMethod {
  uint8_t info_version, platform;
  uint16_t chip;
  uint8_t revision, family, reserved[2];
  uint64_t memory_bytes, user_memory_bytes;
  char chip_name[16], name[64];
};
struct NvifClasses : Nvif {
  uint8_t classes_version, count, reserved[6];
  struct {
    int32_t name;
    int16_t minimum, maximum;
  } classes[32];
};
enum Command : unsigned long { kGetParam = 0x00, kChannelAllocate = 0x02, kNvif = 0x07, kBufferNew = 0x40 };
enum : uint64_t { kPciVendor = 3, kPciDevice = 4, kBusType = 5, kChipNumber = 11, kGraphUnits = 13, kMemoryWindow = 18 };
constexpr uint8_t kListClasses = 1, kCallMethod = 4, kDeviceInfo = 0, kPciExpress = 3;

std::atomic<uint32_t> handles = 0;
std::atomic<uint64_t> buffers_end = 1 << 20;  // in the sparse file

/** The file that is opened as the device: as long as anything that is mapped, and empty. */
char* node() {
  static const int file = memfd_create("nouveau", MFD_CLOEXEC);
  static const bool sized = ftruncate(file, off_t{1} << 40) == 0;
  static std::string path = sized ? "/proc/self/fd/" + std::to_string(file) : "";
  return path.data();
}

DrmDevice* device() {
  static const PciBus bus{0, 1, 0, 0};
  static PciDevice pci{};
  static std::array<char*, 3> nodes{nullptr, nullptr, node()};  // the third renders
  static DrmDevice result{nodes.data(), 1 << 2, 0, &bus, &pci};
  pci = {kNvidia, chip()->device, 0, 0, 0xa1};
  return &result;
}

uint64_t parameter(uint64_t which) {
  switch (which) {
    case kPciVendor:
      return kNvidia;
    case kPciDevice:
      return chip()->device;
    case kChipNumber:
      return chip()->number;
    case kBusType:
      return 2;  // PCI express
    case kGraphUnits:
      return 8 | 64 << 8;  // clusters, and multiprocessors by two: sizes what it allocates, not what it compiles
    case kMemoryWindow:
      return kMemoryBytes;
    default:
      return 1;
  }
}

void answer(NvifDeviceInfo& info) {
  info.platform = kPciExpress;
  info.chip = chip()->number;
  info.memory_bytes = info.user_memory_bytes = kMemoryBytes;
  std::string name = chip()->name;
  for (char& each : name) each = static_cast<char>(std::toupper(each));
  std::snprintf(info.chip_name, sizeof info.chip_name, "%s", name.c_str());
  std::snprintf(info.name, sizeof info.name, "Null hardware");
}

void answer(NvifClasses& list) {
  const std::array<int32_t, 5> names{kInlineToMemory, chip()->copy, kTwoDimensional, chip()->graphics, chip()->compute};
  const size_t count = std::min<size_t>(list.count, names.size());
  for (size_t index = 0; index < count; index++) list.classes[index] = {names[index], -1, -1};
  list.count = names.size();
}

void answer(Buffer& asked) {
  asked.handle = ++handles;
  asked.offset = asked.map_offset = buffers_end.fetch_add((asked.size + 0xfffff) & ~uint64_t{0xfffff});
}

int command(unsigned long which, void* data) {
  switch (which) {
    case kGetParam: {
      auto& param = *static_cast<Param*>(data);
      param.value = parameter(param.param);
      break;
    }
    case kChannelAllocate:
      static_cast<Channel*>(data)->channel = static_cast<int32_t>(++handles);
      break;
    case kNvif: {
      const auto& asked = *static_cast<NvifMethod*>(data);
      if (asked.type == kListClasses) answer(*static_cast<NvifClasses*>(data));
      if (asked.type == kCallMethod && asked.method == kDeviceInfo) answer(*static_cast<NvifDeviceInfo*>(data));
      break;
    }
    case kBufferNew:
      answer(*static_cast<Buffer*>(data));
      break;
    default:
      break;  // addresses, submissions: done
  }
  return 0;
}

}  // namespace

// What stands before libdrm.

EXPORT int drmGetDevices2(uint32_t, DrmDevice** devices, int count) {
  if (chip() == nullptr) return 0;
  if (devices != nullptr && count > 0) devices[0] = device();
  return 1;
}
EXPORT int drmGetDevice2(int, uint32_t, DrmDevice** result) {
  *result = device();
  return 0;
}
EXPORT int drmGetDeviceFromDevId(uint64_t, uint32_t, DrmDevice** result) { return drmGetDevice2(0, 0, result); }
EXPORT void drmFreeDevices() {}
EXPORT void drmFreeDevice() {}

EXPORT DrmVersion* drmGetVersion(int) {
  static DrmVersion version{1, 4, 1, 7, "nouveau", 0, "", 0, ""};
  return &version;
}
EXPORT void drmFreeVersion() {}
EXPORT int drmGetCap(int, uint64_t, uint64_t* value) {
  *value = 1;
  return 0;
}

EXPORT int drmCommandRead(int, unsigned long which, void* data, unsigned long) { return command(which, data); }
EXPORT int drmCommandWrite(int, unsigned long which, void* data, unsigned long) { return command(which, data); }
EXPORT int drmCommandWriteRead(int, unsigned long which, void* data, unsigned long) { return command(which, data); }
EXPORT int drmCloseBufferHandle() { return 0; }

EXPORT int drmSyncobjCreate(int, uint32_t, uint32_t* handle) {
  *handle = ++handles;
  return 0;
}
EXPORT int drmSyncobjDestroy() { return 0; }
EXPORT int drmSyncobjReset() { return 0; }
EXPORT int drmSyncobjSignal() { return 0; }
EXPORT int drmSyncobjWait() { return 0; }
EXPORT int drmSyncobjTimelineSignal() { return 0; }
EXPORT int drmSyncobjTimelineWait() { return 0; }

/** As a Node addon it is empty. */
EXPORT void* napi_register_module_v1(void*, void* exports) { return exports; }
