// Opens an instance, its best adapter and a device with everything that the adapter offers.
// TypeScript has settled before which Vulkan driver Dawn finds.
#include <cstring>

#include "context.h"
#include "quiet_stderr.h"

namespace synglot {
namespace {

struct NamedFeature {
  WGPUFeatureName feature;
  const char* name;
};

constexpr std::array kWantedFeatures = {
    NamedFeature{WGPUFeatureName_TimestampQuery, "timestamp-query"},
    NamedFeature{WGPUFeatureName_ShaderF16, "shader-f16"},
    NamedFeature{WGPUFeatureName_Subgroups, "subgroups"},
    NamedFeature{WGPUFeatureName_SubgroupSizeControl, "subgroup-size-control"},
    NamedFeature{WGPUFeatureName_ChromiumExperimentalSubgroupMatrix, "chromium-experimental-subgroup-matrix"},
};

template <typename HandleType>
struct Answer {
  HandleType handle;
  std::string message;
};

void on_adapter(WGPURequestAdapterStatus, WGPUAdapter adapter, WGPUStringView message, void* userdata, void*) noexcept {
  const std::unique_ptr<std::shared_ptr<Answer<Adapter>>> answer(static_cast<std::shared_ptr<Answer<Adapter>>*>(userdata));
  (*answer)->handle.reset(adapter);
  try {
    (*answer)->message = text(message);
  } catch (...) {
  }
}

void on_device(WGPURequestDeviceStatus, WGPUDevice device, WGPUStringView message, void* userdata, void*) noexcept {
  const std::unique_ptr<std::shared_ptr<Answer<DeviceHandle>>> answer(static_cast<std::shared_ptr<Answer<DeviceHandle>>*>(userdata));
  (*answer)->handle.reset(device);
  try {
    (*answer)->message = text(message);
  } catch (...) {
  }
}

// Both run on any of Dawn's threads. The loss that our own destruction causes is recorded too; nobody reads it.
void on_lost(WGPUDevice const*, WGPUDeviceLostReason, WGPUStringView message, void* userdata, void*) noexcept {
  const std::unique_ptr<std::shared_ptr<DeviceState>> state(static_cast<std::shared_ptr<DeviceState>*>(userdata));
  try {
    (*state)->record_loss("the device was lost: " + text(message));
  } catch (...) {
  }
}

void on_uncaptured(WGPUDevice const*, WGPUErrorType type, WGPUStringView message, void* userdata, void*) noexcept {
  try {
    const bool memory = type == WGPUErrorType_OutOfMemory;
    static_cast<DeviceState*>(userdata)->record_uncaptured({memory ? code::kOutOfMemory : code::kValidation, text(message)});
  } catch (...) {
  }
}

size_t on_cache_load(size_t key_size, uint8_t const* key, size_t value_size, uint8_t* value, void* userdata, void*) noexcept {
  return static_cast<DiskCache*>(userdata)->load(key, key_size, value, value_size);
}

void on_cache_store(size_t key_size, uint8_t const* key, size_t value_size, uint8_t const* value, void* userdata, void*) noexcept {
  static_cast<DiskCache*>(userdata)->store(key, key_size, value, value_size);
}

std::vector<const char*> c_strings(const std::vector<std::string>& strings) {
  std::vector<const char*> pointers;
  for (const std::string& string : strings) pointers.push_back(string.c_str());
  return pointers;
}

// The strings of `OpenOptions` outlive every descriptor made from them.
struct Toggles {
  Toggles(const OpenOptions& options, std::vector<const char*> enable, std::vector<const char*> disable)
      : enabled(c_strings(options.enabled_toggles)), disabled(c_strings(options.disabled_toggles)) {
    enabled.insert(enabled.end(), enable.begin(), enable.end());
    disabled.insert(disabled.end(), disable.begin(), disable.end());
    descriptor.enabledToggleCount = enabled.size();
    descriptor.enabledToggles = enabled.data();
    descriptor.disabledToggleCount = disabled.size();
    descriptor.disabledToggles = disabled.data();
  }
  std::vector<const char*> enabled;
  std::vector<const char*> disabled;
  WGPUDawnTogglesDescriptor descriptor = WGPU_DAWN_TOGGLES_DESCRIPTOR_INIT;
};

const char* type_name(WGPUAdapterType type) {
  switch (type) {
    case WGPUAdapterType_DiscreteGPU: return "discrete-gpu";
    case WGPUAdapterType_IntegratedGPU: return "integrated-gpu";
    case WGPUAdapterType_CPU: return "cpu";
    default: return "unknown";
  }
}

const char* component_name(WGPUSubgroupMatrixComponentType type) {
  switch (type) {
    case WGPUSubgroupMatrixComponentType_F32: return "f32";
    case WGPUSubgroupMatrixComponentType_F16: return "f16";
    case WGPUSubgroupMatrixComponentType_U32: return "u32";
    case WGPUSubgroupMatrixComponentType_I32: return "i32";
    case WGPUSubgroupMatrixComponentType_U8: return "u8";
    case WGPUSubgroupMatrixComponentType_I8: return "i8";
    default: return "other";
  }
}

std::vector<std::pair<std::string, double>> limit_list(const WGPULimits& limits) {
  return {
      {"maxStorageBufferBindingSize", static_cast<double>(limits.maxStorageBufferBindingSize)},
      {"maxBufferSize", static_cast<double>(limits.maxBufferSize)},
      {"maxStorageBuffersPerShaderStage", limits.maxStorageBuffersPerShaderStage},
      {"maxComputeWorkgroupStorageSize", limits.maxComputeWorkgroupStorageSize},
      {"maxComputeInvocationsPerWorkgroup", limits.maxComputeInvocationsPerWorkgroup},
      {"maxComputeWorkgroupSizeX", limits.maxComputeWorkgroupSizeX},
      {"maxComputeWorkgroupsPerDimension", limits.maxComputeWorkgroupsPerDimension},
  };
}

// WGPULimits differs between releases of Dawn. A library with another layout gives itself away: it
// writes past the end of our struct, or what we read back makes no sense.
MaybeFailure read_limits(WGPUAdapter adapter, WGPULimits& limits) {
  struct {
    WGPULimits limits;
    unsigned char guard[512];
  } probe;
  std::memset(&probe, 0xAB, sizeof probe);
  probe.limits = WGPU_LIMITS_INIT;
  const WGPUStatus status = dawn().AdapterGetLimits(adapter, &probe.limits);
  bool intact = true;
  for (unsigned char byte : probe.guard) intact = intact && byte == 0xAB;
  const WGPULimits& got = probe.limits;
  const auto alignment_ok = [](uint32_t value) { return value >= 4 && value <= 4096 && (value & (value - 1)) == 0; };
  const bool sensible = got.maxBindGroups >= 4 && got.maxBindGroups <= 64 && alignment_ok(got.minUniformBufferOffsetAlignment) &&
                        alignment_ok(got.minStorageBufferOffsetAlignment) && got.maxStorageBufferBindingSize >= (1U << 26) &&
                        got.maxComputeInvocationsPerWorkgroup >= 64 && got.maxComputeInvocationsPerWorkgroup <= (1U << 20) &&
                        got.maxComputeWorkgroupsPerDimension >= 1024 && got.maxImmediateSize <= 65536;
  if (status != WGPUStatus_Success || !intact || !sensible) {
    return Failure{code::kUnavailable,
                   "the Dawn library does not agree with the webgpu.h that synglot was compiled with (its limits read as nonsense); "
                   "unset SYNGLOT_DAWN_LIBRARY, or rebuild with that library's header"};
  }
  limits = got;
  limits.nextInChain = nullptr;
  return std::nullopt;
}

}  // namespace

Result<std::unique_ptr<Context>> Context::open(const OpenOptions& options) {
  if (dawn().CreateInstance == nullptr) return Failure{code::kUnavailable, "no Dawn library was loaded"};
  std::unique_ptr<Context> context(new Context());
  context->timeout_ms_ = options.timeout_ms;
  {
    // Its turn is the environment's, too.
    const QuietStderr quiet;
    const Environment environment(options.environment);
    if (MaybeFailure failure = context->open_adapter(options)) return *failure;
  }
  if (MaybeFailure failure = context->describe_adapter()) return *failure;
  if (options.adapter_only) return context;
  if (MaybeFailure failure = context->open_device(options)) return *failure;
  return context;
}

MaybeFailure Context::open_adapter(const OpenOptions& options) {
  const Toggles instance_toggles(options, {"allow_unsafe_apis"}, {});
  WGPUDawnTogglesDescriptor chained = instance_toggles.descriptor;
  const WGPUInstanceFeatureName features[] = {WGPUInstanceFeatureName_TimedWaitAny};
  WGPUInstanceDescriptor instance_descriptor = WGPU_INSTANCE_DESCRIPTOR_INIT;
  instance_descriptor.nextInChain = &chained.chain;
  instance_descriptor.requiredFeatureCount = 1;
  instance_descriptor.requiredFeatures = features;
  instance_.reset(dawn().CreateInstance(&instance_descriptor));
  if (!instance_) return Failure{code::kUnavailable, "Dawn could not make an instance"};

  const Toggles adapter_toggles(options, {"allow_unsafe_apis", "vulkan_enable_f16_on_nvidia"}, {});
  chained = adapter_toggles.descriptor;
  WGPURequestAdapterOptions request = WGPU_REQUEST_ADAPTER_OPTIONS_INIT;
  request.nextInChain = &chained.chain;
  request.featureLevel = WGPUFeatureLevel_Core;
  request.powerPreference = WGPUPowerPreference_HighPerformance;
#ifdef __linux__
  request.backendType = WGPUBackendType_Vulkan;
#endif
  auto answer = std::make_shared<Answer<Adapter>>();
  WGPURequestAdapterCallbackInfo info = WGPU_REQUEST_ADAPTER_CALLBACK_INFO_INIT;
  info.mode = WGPUCallbackMode_WaitAnyOnly;
  info.callback = on_adapter;
  info.userdata1 = new std::shared_ptr<Answer<Adapter>>(answer);
  if (MaybeFailure failure = wait_all(dawn().InstanceRequestAdapter(instance_.get(), &request, info), "request of an adapter")) return failure;
  adapter_ = std::move(answer->handle);
  if (!adapter_) return Failure{code::kUnavailable, "Dawn found no usable adapter: " + answer->message};
  return std::nullopt;
}

MaybeFailure Context::describe_adapter() {
  if (MaybeFailure failure = read_limits(adapter_.get(), limits_)) return failure;
  const bool matrices = dawn().AdapterHasFeature(adapter_.get(), WGPUFeatureName_ChromiumExperimentalSubgroupMatrix) != WGPU_FALSE;
  WGPUAdapterPropertiesSubgroupMatrixConfigs configs = WGPU_ADAPTER_PROPERTIES_SUBGROUP_MATRIX_CONFIGS_INIT;
  WGPUAdapterInfo info = WGPU_ADAPTER_INFO_INIT;
  if (matrices) info.nextInChain = &configs.chain;
  if (dawn().AdapterGetInfo(adapter_.get(), &info) != WGPUStatus_Success) {
    return Failure{code::kUnavailable, "Dawn does not describe its adapter"};
  }
  description_.name = text(info.device);
  description_.vendor = text(info.vendor);
  description_.architecture = text(info.architecture);
  description_.driver = text(info.description);
  description_.type = type_name(info.adapterType);
  description_.subgroup_min_size = info.subgroupMinSize;
  description_.subgroup_max_size = info.subgroupMaxSize;
  for (size_t i = 0; i < configs.configCount; ++i) {
    const WGPUSubgroupMatrixConfig& config = configs.configs[i];
    description_.matrix_configs.push_back(
        {component_name(config.componentType), component_name(config.resultComponentType), config.M, config.N, config.K});
  }
  if (matrices) dawn().AdapterPropertiesSubgroupMatrixConfigsFreeMembers(configs);
  dawn().AdapterInfoFreeMembers(info);
  for (const NamedFeature& wanted : kWantedFeatures) {
    if (dawn().AdapterHasFeature(adapter_.get(), wanted.feature) != WGPU_FALSE) description_.features.emplace_back(wanted.name);
  }
  description_.limits = limit_list(limits_);
  return std::nullopt;
}

MaybeFailure Context::open_device(const OpenOptions& options) {
  std::vector<WGPUFeatureName> features;
  for (const NamedFeature& wanted : kWantedFeatures) {
    if (dawn().AdapterHasFeature(adapter_.get(), wanted.feature) != WGPU_FALSE) features.push_back(wanted.feature);
  }
  // Timestamps are quantised (to 0.1 ms) to protect pages from each other; here there are none.
  const Toggles toggles(options, {"allow_unsafe_apis"}, {"timestamp_quantization"});
  WGPUDawnTogglesDescriptor chained = toggles.descriptor;
  WGPUDawnCacheDeviceDescriptor cache_descriptor = WGPU_DAWN_CACHE_DEVICE_DESCRIPTOR_INIT;
  cache_ = std::make_shared<DiskCache>(options.cache_directory);
  if (cache_->enabled()) {
    cache_descriptor.isolationKey = view("synglot");
    cache_descriptor.dawnLoadCacheDataCallbackInfo.callback = on_cache_load;
    cache_descriptor.dawnLoadCacheDataCallbackInfo.userdata1 = cache_.get();
    cache_descriptor.dawnStoreCacheDataCallbackInfo.callback = on_cache_store;
    cache_descriptor.dawnStoreCacheDataCallbackInfo.userdata1 = cache_.get();
    chained.chain.next = &cache_descriptor.chain;
  }
  WGPUDeviceDescriptor descriptor = WGPU_DEVICE_DESCRIPTOR_INIT;
  descriptor.nextInChain = &chained.chain;
  descriptor.label = view("synglot");
  descriptor.requiredFeatureCount = features.size();
  descriptor.requiredFeatures = features.data();
  descriptor.requiredLimits = &limits_;
  descriptor.deviceLostCallbackInfo.mode = WGPUCallbackMode_AllowSpontaneous;
  descriptor.deviceLostCallbackInfo.callback = on_lost;
  descriptor.deviceLostCallbackInfo.userdata1 = new std::shared_ptr<DeviceState>(state_);
  descriptor.uncapturedErrorCallbackInfo.callback = on_uncaptured;
  descriptor.uncapturedErrorCallbackInfo.userdata1 = state_.get();

  auto answer = std::make_shared<Answer<DeviceHandle>>();
  WGPURequestDeviceCallbackInfo info = WGPU_REQUEST_DEVICE_CALLBACK_INFO_INIT;
  info.mode = WGPUCallbackMode_WaitAnyOnly;
  info.callback = on_device;
  info.userdata1 = new std::shared_ptr<Answer<DeviceHandle>>(answer);
  if (MaybeFailure failure = wait_all(dawn().AdapterRequestDevice(adapter_.get(), &descriptor, info), "request of a device")) {
    if (answer->message.empty()) return failure;
    return Failure{code::kUnavailable, "Dawn refused a device: " + answer->message};
  }
  device_ = std::move(answer->handle);
  if (!device_) return Failure{code::kUnavailable, "Dawn refused a device: " + answer->message};
  queue_.reset(dawn().DeviceGetQueue(device_.get()));
  limits_ = WGPU_LIMITS_INIT;
  if (dawn().DeviceGetLimits(device_.get(), &limits_) != WGPUStatus_Success) {
    return Failure{code::kUnavailable, "Dawn does not report the device's limits"};
  }
  description_.limits = limit_list(limits_);
  has_timestamps_ = dawn().DeviceHasFeature(device_.get(), WGPUFeatureName_TimestampQuery) != WGPU_FALSE;
  return std::nullopt;
}

}  // namespace synglot
