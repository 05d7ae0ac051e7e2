// Owning handles: every wgpu*Release call of the core is in this file.
#pragma once

#include <memory>

#include "dawn_api.h"

namespace synglot {

struct Release {
#define SYNGLOT_RELEASE(type) \
  void operator()(WGPU##type handle) const noexcept { dawn().type##Release(handle); }
  SYNGLOT_RELEASE(Adapter)
  SYNGLOT_RELEASE(BindGroup)
  SYNGLOT_RELEASE(BindGroupLayout)
  SYNGLOT_RELEASE(Buffer)
  SYNGLOT_RELEASE(CommandBuffer)
  SYNGLOT_RELEASE(CommandEncoder)
  SYNGLOT_RELEASE(ComputePassEncoder)
  SYNGLOT_RELEASE(ComputePipeline)
  SYNGLOT_RELEASE(Device)
  SYNGLOT_RELEASE(Instance)
  SYNGLOT_RELEASE(PipelineLayout)
  SYNGLOT_RELEASE(QuerySet)
  SYNGLOT_RELEASE(Queue)
  SYNGLOT_RELEASE(ShaderModule)
#undef SYNGLOT_RELEASE
};

template <typename Impl>
using Handle = std::unique_ptr<Impl, Release>;

using Adapter = Handle<WGPUAdapterImpl>;
using BindGroup = Handle<WGPUBindGroupImpl>;
using BindGroupLayout = Handle<WGPUBindGroupLayoutImpl>;
using BufferHandle = Handle<WGPUBufferImpl>;
using CommandBuffer = Handle<WGPUCommandBufferImpl>;
using CommandEncoder = Handle<WGPUCommandEncoderImpl>;
using ComputePass = Handle<WGPUComputePassEncoderImpl>;
using ComputePipeline = Handle<WGPUComputePipelineImpl>;
using DeviceHandle = Handle<WGPUDeviceImpl>;
using Instance = Handle<WGPUInstanceImpl>;
using PipelineLayout = Handle<WGPUPipelineLayoutImpl>;
using QuerySet = Handle<WGPUQuerySetImpl>;
using Queue = Handle<WGPUQueueImpl>;
using ShaderModule = Handle<WGPUShaderModuleImpl>;

}  // namespace synglot
