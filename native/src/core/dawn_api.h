// The wgpu* functions that the core uses, resolved from a library that is loaded at run time.
// Adding a function is one line in the list; not the place for anything that calls them.
#pragma once

#include <webgpu.h>

#include <string>
#include <string_view>

#include "failure.h"

// clang-format off
#define SYNGLOT_WGPU_FUNCTIONS(X) \
  X(CreateInstance) X(HasInstanceFeature) X(InstanceRequestAdapter) X(InstanceWaitAny) X(InstanceRelease) \
  X(AdapterGetInfo) X(AdapterGetLimits) X(AdapterHasFeature) X(AdapterRequestDevice) X(AdapterRelease) \
  X(AdapterInfoFreeMembers) X(AdapterPropertiesSubgroupMatrixConfigsFreeMembers) \
  X(DeviceCreateBindGroup) X(DeviceCreateBindGroupLayout) X(DeviceCreateBuffer) X(DeviceCreateCommandEncoder) \
  X(DeviceCreateComputePipelineAsync) X(DeviceCreatePipelineLayout) X(DeviceCreateQuerySet) \
  X(DeviceCreateShaderModule) X(DeviceDestroy) X(DeviceForceLoss) X(DeviceGetLimits) X(DeviceGetQueue) \
  X(DeviceHasFeature) X(DevicePopErrorScope) X(DevicePushErrorScope) X(DeviceRelease) \
  X(QueueOnSubmittedWorkDone) X(QueueSubmit) X(QueueWriteBuffer) X(QueueRelease) \
  X(BufferDestroy) X(BufferGetConstMappedRange) X(BufferMapAsync) X(BufferUnmap) X(BufferRelease) \
  X(CommandEncoderBeginComputePass) X(CommandEncoderClearBuffer) X(CommandEncoderCopyBufferToBuffer) \
  X(CommandEncoderFinish) X(CommandEncoderResolveQuerySet) X(CommandEncoderRelease) X(CommandBufferRelease) \
  X(ComputePassEncoderDispatchWorkgroups) X(ComputePassEncoderEnd) X(ComputePassEncoderSetBindGroup) \
  X(ComputePassEncoderSetPipeline) X(ComputePassEncoderRelease) \
  X(BindGroupRelease) X(BindGroupLayoutRelease) X(ComputePipelineRelease) X(PipelineLayoutRelease) \
  X(QuerySetRelease) X(ShaderModuleRelease)
// clang-format on

namespace synglot {

struct DawnApi {
#define SYNGLOT_MEMBER(name) WGPUProc##name name = nullptr;
  SYNGLOT_WGPU_FUNCTIONS(SYNGLOT_MEMBER)
#undef SYNGLOT_MEMBER
};

/** The loaded table; every pointer is null until `load_dawn` succeeded. */
const DawnApi& dawn();

/**
 * Loads the library and resolves the table, once per process; the library stays loaded.
 * Fails with DEVICE_UNAVAILABLE when a symbol is missing, a probe shows another header's layout,
 * or another library was loaded before.
 */
MaybeFailure load_dawn(const std::string& path);

inline WGPUStringView view(std::string_view text) { return {text.data(), text.size()}; }

inline std::string text(WGPUStringView value) {
  if (value.data == nullptr) return {};
  if (value.length == WGPU_STRLEN) return std::string(value.data);
  return std::string(value.data, value.length);
}

}  // namespace synglot
