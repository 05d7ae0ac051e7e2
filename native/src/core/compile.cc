// Turns a plan into device objects. The params of all dispatches live in one uniform buffer; dispatches with equal
// params share a slot, those with equal bindings a bind group. One bind group a dispatch, without a dynamic offset, is
// what costs Dawn the least of the host's time.
#include <algorithm>
#include <map>
#include <tuple>

#include "compiled_plan.h"

namespace synglot {
namespace {

using GroupKey = std::tuple<const Pipeline*, std::vector<uint32_t>, uint32_t>;

WGPUBindGroupEntry entry(uint32_t binding, WGPUBuffer buffer, uint64_t offset_bytes, uint64_t size_bytes) {
  WGPUBindGroupEntry result = WGPU_BIND_GROUP_ENTRY_INIT;
  result.binding = binding;
  result.buffer = buffer;
  result.offset = offset_bytes;
  result.size = size_bytes;
  return result;
}

BindGroup create_group(const Context& context, const std::string& label, WGPUBindGroupLayout layout,
                       const std::vector<WGPUBindGroupEntry>& entries) {
  WGPUBindGroupDescriptor descriptor = WGPU_BIND_GROUP_DESCRIPTOR_INIT;
  descriptor.label = view(label);
  descriptor.layout = layout;
  descriptor.entryCount = entries.size();
  descriptor.entries = entries.data();
  return BindGroup(dawn().DeviceCreateBindGroup(context.device(), &descriptor));
}

// The contents of the uniform buffer: a slot for each distinct set of params.
struct ParamsPacking {
  explicit ParamsPacking(uint32_t alignment) : alignment(alignment) {}
  uint32_t add(const std::vector<uint8_t>& params) {
    const auto [slot, is_new] = slots.try_emplace(std::string(params.begin(), params.end()), static_cast<uint32_t>(bytes.size()));
    if (is_new) {
      bytes.insert(bytes.end(), params.begin(), params.end());
      bytes.resize((bytes.size() + alignment - 1) / alignment * alignment);
    }
    return slot->second;
  }
  uint32_t alignment;
  std::map<std::string, uint32_t> slots;
  std::vector<uint8_t> bytes;
};

}  // namespace

Result<std::shared_ptr<CompiledPlan>> CompiledPlan::create(const Context& context, PipelineStore& store, const Plan& plan,
                                                           const std::vector<std::shared_ptr<Buffer>>& externals, size_t commands_per_part) {
  if (MaybeFailure failure = check_plan(plan, context.limits().maxComputeWorkgroupsPerDimension)) return *failure;
  auto pipelines = store.get(context, plan.kernels);
  if (auto* failure = std::get_if<Failure>(&pipelines)) return std::move(*failure);

  auto compiled = std::make_shared<CompiledPlan>();
  compiled->label_ = plan.label;
  compiled->commands_per_part_ = commands_per_part;
  compiled->pipelines_ = std::move(std::get<0>(pipelines));
  context.push_scopes();
  MaybeFailure failure = compiled->create_buffers(context, plan, externals);
  if (!failure) compiled->create_commands(context, plan);
  MaybeFailure scoped = context.pop_scopes("compile of plan '" + plan.label + "'");
  if (!failure) failure = std::move(scoped);
  if (failure) {
    compiled->destroy();
    return *failure;
  }
  return compiled;
}

MaybeFailure CompiledPlan::create_buffers(const Context& context, const Plan& plan, const std::vector<std::shared_ptr<Buffer>>& externals) {
  for (size_t i = 0; i < plan.buffers.size(); ++i) {
    const PlanBuffer& buffer = plan.buffers[i];
    offsets_.push_back(buffer.offset_bytes);
    sizes_.push_back(buffer.size_bytes);
    if (buffer.external) {
      const std::shared_ptr<Buffer>& external = externals[i];
      if (external->failure) return external->failure;
      const uint64_t end = buffer.offset_bytes + buffer.size_bytes;
      if (buffer.view ? end > external->size_bytes : end != external->size_bytes) {
        return Failure{code::kPlanInvalid, "plan '" + plan.label + "': expected '" + buffer.name + "' to end at byte " + std::to_string(end) +
                                               " but its buffer has " + std::to_string(external->size_bytes)};
      }
      externals_.push_back(external);
      buffers_.push_back(external->handle.get());
      continue;
    }
    const bool step = static_cast<int64_t>(i) == plan.step_buffer;
    const WGPUBufferUsage usage =
        (step ? WGPUBufferUsage_Uniform : WGPUBufferUsage_Storage) | WGPUBufferUsage_CopyDst | WGPUBufferUsage_CopySrc;
    owned_.push_back(context.create_buffer(plan.label + ": " + buffer.name, buffer.size_bytes, usage));
    buffers_.push_back(owned_.back().get());
    if (!owned_.back()) return Failure{code::kOutOfMemory, "plan '" + plan.label + "': no memory for buffer '" + buffer.name + "'"};
  }
  return std::nullopt;
}

void CompiledPlan::create_commands(const Context& context, const Plan& plan) {
  ParamsPacking packing(std::max(context.limits().minUniformBufferOffsetAlignment, 16U));
  for (const Command& command : plan.commands) {
    if (const auto* dispatch = std::get_if<Dispatch>(&command); dispatch != nullptr && !dispatch->params.empty()) packing.add(dispatch->params);
  }
  if (!packing.bytes.empty()) {
    params_ = context.create_buffer(plan.label + ": params", packing.bytes.size(), WGPUBufferUsage_Uniform | WGPUBufferUsage_CopyDst);
    dawn().QueueWriteBuffer(context.queue(), params_.get(), 0, packing.bytes.data(), packing.bytes.size());
  }

  std::map<GroupKey, WGPUBindGroup> groups;
  const auto bind_group = [&](const Dispatch& dispatch) {
    const Pipeline& pipeline = *pipelines_[dispatch.kernel];
    const PlanKernel& kernel = plan.kernels[dispatch.kernel];
    const uint32_t params_offset = dispatch.params.empty() ? 0 : packing.add(dispatch.params);
    WGPUBindGroup& group = groups[{&pipeline, dispatch.buffers, params_offset}];
    if (group == nullptr) {
      std::vector<WGPUBindGroupEntry> entries;
      for (uint32_t index : dispatch.buffers) {
        entries.push_back(entry(static_cast<uint32_t>(entries.size()), buffers_[index], offsets_[index], sizes_[index]));
      }
      if (kernel.params_size_bytes > 0) entries.push_back(entry(kParamsBinding, params_.get(), params_offset, kernel.params_size_bytes));
      if (kernel.uses_step) {
        const auto step = static_cast<size_t>(plan.step_buffer);
        entries.push_back(entry(kStepBinding, buffers_[step], 0, sizes_[step]));
      }
      group = groups_.emplace_back(create_group(context, dispatch.label, pipeline.layout.get(), entries)).get();
    }
    return group;
  };

  for (const Command& command : plan.commands) {
    if (const auto* dispatch = std::get_if<Dispatch>(&command)) {
      const WGPUComputePipeline pipeline = pipelines_[dispatch->kernel]->pipeline.get();
      commands_.emplace_back(EncodedDispatch{pipeline, bind_group(*dispatch), dispatch->workgroups, dispatch_count_++});
    } else if (const auto* copy = std::get_if<Copy>(&command)) {
      commands_.emplace_back(EncodedCopy{buffers_[copy->source], offsets_[copy->source] + copy->source_offset_bytes, buffers_[copy->destination],
                                         offsets_[copy->destination] + copy->destination_offset_bytes, copy->size_bytes});
    } else if (const auto* clear = std::get_if<Clear>(&command)) {
      commands_.emplace_back(EncodedClear{buffers_[clear->buffer], offsets_[clear->buffer] + clear->offset_bytes, clear->size_bytes});
    }
  }
}

void CompiledPlan::destroy() {
  destroyed_ = true;
  recorded_.clear();
  for (const BufferHandle& buffer : owned_) {
    if (buffer) dawn().BufferDestroy(buffer.get());
  }
  if (params_) dawn().BufferDestroy(params_.get());
  if (resolve_) dawn().BufferDestroy(resolve_.get());
  commands_.clear();
  groups_.clear();
  query_sets_.clear();
}

}  // namespace synglot
