// Makes pipelines with explicit layouts: storage buffers, Params and Step in one bind group.
#include "pipelines.h"

namespace synglot {
namespace {

struct Compiling {
  WGPUCreatePipelineAsyncStatus status = WGPUCreatePipelineAsyncStatus_CallbackCancelled;
  ComputePipeline pipeline;
  std::string message;
};

void on_pipeline(WGPUCreatePipelineAsyncStatus status, WGPUComputePipeline pipeline, WGPUStringView message, void* userdata, void*) noexcept {
  const std::unique_ptr<std::shared_ptr<Compiling>> compiling(static_cast<std::shared_ptr<Compiling>*>(userdata));
  (*compiling)->status = status;
  (*compiling)->pipeline.reset(pipeline);
  try {
    (*compiling)->message = text(message);
  } catch (...) {
  }
}

std::string key_of(const PlanKernel& kernel) {
  std::string key;
  for (const bool writes : kernel.writes) key += writes ? 'w' : 'r';
  key += '/' + std::to_string(kernel.params_size_bytes) + (kernel.uses_step ? "/step/" : "/") + kernel.code;
  return key;
}

WGPUBindGroupLayoutEntry entry(uint32_t binding, WGPUBufferBindingType type) {
  WGPUBindGroupLayoutEntry result = WGPU_BIND_GROUP_LAYOUT_ENTRY_INIT;
  result.binding = binding;
  result.visibility = WGPUShaderStage_Compute;
  result.buffer.type = type;
  return result;
}

BindGroupLayout create_layout(const Context& context, const PlanKernel& kernel) {
  std::vector<WGPUBindGroupLayoutEntry> entries;
  for (const bool writes : kernel.writes) {
    const WGPUBufferBindingType type = writes ? WGPUBufferBindingType_Storage : WGPUBufferBindingType_ReadOnlyStorage;
    entries.push_back(entry(static_cast<uint32_t>(entries.size()), type));
  }
  if (kernel.params_size_bytes > 0) {
    entries.push_back(entry(kParamsBinding, WGPUBufferBindingType_Uniform));
    entries.back().buffer.minBindingSize = kernel.params_size_bytes;
  }
  if (kernel.uses_step) entries.push_back(entry(kStepBinding, WGPUBufferBindingType_Uniform));
  WGPUBindGroupLayoutDescriptor descriptor = WGPU_BIND_GROUP_LAYOUT_DESCRIPTOR_INIT;
  descriptor.label = view(kernel.label);
  descriptor.entryCount = entries.size();
  descriptor.entries = entries.data();
  return BindGroupLayout(dawn().DeviceCreateBindGroupLayout(context.device(), &descriptor));
}

WGPUFuture start(const Context& context, const PlanKernel& kernel, const Pipeline& pipeline, const std::shared_ptr<Compiling>& compiling) {
  const WGPUBindGroupLayout bind_group_layout = pipeline.layout.get();
  WGPUPipelineLayoutDescriptor layout_descriptor = WGPU_PIPELINE_LAYOUT_DESCRIPTOR_INIT;
  layout_descriptor.label = view(kernel.label);
  layout_descriptor.bindGroupLayoutCount = 1;
  layout_descriptor.bindGroupLayouts = &bind_group_layout;
  const PipelineLayout layout(dawn().DeviceCreatePipelineLayout(context.device(), &layout_descriptor));

  WGPUShaderSourceWGSL source = WGPU_SHADER_SOURCE_WGSL_INIT;
  source.code = view(kernel.code);
  WGPUShaderModuleDescriptor module_descriptor = WGPU_SHADER_MODULE_DESCRIPTOR_INIT;
  module_descriptor.nextInChain = &source.chain;
  module_descriptor.label = view(kernel.label);
  const ShaderModule module(dawn().DeviceCreateShaderModule(context.device(), &module_descriptor));

  WGPUComputePipelineDescriptor descriptor = WGPU_COMPUTE_PIPELINE_DESCRIPTOR_INIT;
  descriptor.label = view(kernel.label);
  descriptor.layout = layout.get();
  descriptor.compute.module = module.get();
  descriptor.compute.entryPoint = view("main");
  WGPUCreateComputePipelineAsyncCallbackInfo info = WGPU_CREATE_COMPUTE_PIPELINE_ASYNC_CALLBACK_INFO_INIT;
  info.mode = WGPUCallbackMode_WaitAnyOnly;
  info.callback = on_pipeline;
  info.userdata1 = new std::shared_ptr<Compiling>(compiling);
  return dawn().DeviceCreateComputePipelineAsync(context.device(), &descriptor, info);
}

struct Started {
  std::string key;
  std::string label;
  std::shared_ptr<Pipeline> pipeline;
  std::shared_ptr<Compiling> compiling;
  WGPUFuture future;
};

}  // namespace

Result<std::vector<std::shared_ptr<Pipeline>>> PipelineStore::get(const Context& context, const std::vector<PlanKernel>& kernels) {
  std::vector<std::shared_ptr<Pipeline>> result;
  std::map<std::string, std::shared_ptr<Pipeline>> pending;
  std::vector<Started> started;
  MaybeFailure failure;
  for (const PlanKernel& kernel : kernels) {
    const std::string key = key_of(kernel);
    if (const auto known = pipelines_.find(key); known != pipelines_.end()) {
      result.push_back(known->second);
      continue;
    }
    auto& pipeline = pending[key];
    if (!pipeline) {
      pipeline = std::make_shared<Pipeline>();
      auto compiling = std::make_shared<Compiling>();
      context.push_scopes();
      pipeline->layout = create_layout(context, kernel);
      const WGPUFuture future = start(context, kernel, *pipeline, compiling);
      MaybeFailure scoped = context.pop_scopes("kernel '" + kernel.label + "'");
      started.push_back({key, kernel.label, pipeline, compiling, future});
      if (scoped && !failure) failure = std::move(scoped);
    }
    result.push_back(pipeline);
  }
  for (Started& one : started) {
    const std::string what = "kernel '" + one.label + "'";
    MaybeFailure waited = context.wait_all(one.future, what);
    if (!waited && one.compiling->status != WGPUCreatePipelineAsyncStatus_Success) {
      waited = Failure{code::kValidation, what + ": " + one.compiling->message};
    }
    if (waited) {
      if (!failure) failure = std::move(waited);
      continue;
    }
    one.pipeline->pipeline = std::move(one.compiling->pipeline);
    pipelines_[one.key] = one.pipeline;
  }
  if (failure) return *failure;
  return result;
}

}  // namespace synglot
