// Turns a plan into device objects, so that Dawn spends the least of the host's time: one bind group a dispatch, without
// a dynamic offset, which dispatches with equal bindings share; and one buffer for all that no command writes, since
// Dawn tracks each buffer that a dispatch binds.
#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "compiled_plan.h"

namespace synglot {
namespace {

// Every device binds at multiples of it.
constexpr uint64_t kBindingAlignment = 256;

using GroupKey = std::tuple<const Pipeline*, std::vector<uint32_t>, uint64_t>;

uint64_t aligned(uint64_t size) { return (size + kBindingAlignment - 1) / kBindingAlignment * kBindingAlignment; }

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

// Whether all that the plan names by an index is there. Whether its numbers fit each other is checked in TypeScript, for
// both executors, and by Dawn.
bool indices_fit(const Plan& plan) {
  const auto is_buffer = [&](int64_t index) { return index < static_cast<int64_t>(plan.buffers.size()); };
  const auto fits = [&](const Command& command) {
    if (const auto* copy = std::get_if<Copy>(&command)) return is_buffer(copy->source) && is_buffer(copy->destination);
    if (const auto* clear = std::get_if<Clear>(&command)) return is_buffer(clear->buffer);
    const auto& dispatch = std::get<Dispatch>(command);
    if (dispatch.kernel >= plan.kernels.size()) return false;
    const PlanKernel& kernel = plan.kernels[dispatch.kernel];
    return dispatch.buffers.size() == kernel.writes.size() && std::ranges::all_of(dispatch.buffers, is_buffer) &&
           dispatch.params.size() == kernel.params_size_bytes && (!kernel.uses_step || plan.step_buffer >= 0);
  };
  return is_buffer(plan.step_buffer) && std::ranges::all_of(plan.commands, fits);
}

// Per buffer of the plan: whether a command writes it.
std::vector<bool> written_buffers(const Plan& plan) {
  std::vector<bool> written(plan.buffers.size());
  for (const Command& command : plan.commands) {
    if (const auto* dispatch = std::get_if<Dispatch>(&command)) {
      const std::vector<bool>& writes = plan.kernels[dispatch->kernel].writes;
      for (size_t i = 0; i < writes.size(); ++i) {
        if (writes[i]) written[dispatch->buffers[i]] = true;
      }
    } else if (const auto* copy = std::get_if<Copy>(&command)) {
      written[copy->destination] = true;
    } else if (const auto* clear = std::get_if<Clear>(&command)) {
      written[clear->buffer] = true;
    }
  }
  return written;
}

}  // namespace

// The buffer of all that no command writes: the params of dispatches, equal ones once, then Step and the other feeds.
struct CompiledPlan::Inputs {
  explicit Inputs(const Plan& plan) : offsets(plan.buffers.size()) {
    for (const Command& command : plan.commands) {
      const auto* dispatch = std::get_if<Dispatch>(&command);
      if (dispatch == nullptr || dispatch->params.empty()) continue;
      if (!params_offsets.try_emplace(key(dispatch->params), params.size()).second) continue;
      params.insert(params.end(), dispatch->params.begin(), dispatch->params.end());
      params.resize(aligned(params.size()));
    }
    size_bytes = params.size();
    const std::vector<bool> written = written_buffers(plan);
    for (size_t i = 0; i < plan.buffers.size(); ++i) {
      if (plan.buffers[i].external || written[i]) continue;
      offsets[i] = size_bytes;
      size_bytes = aligned(size_bytes + plan.buffers[i].size_bytes);
    }
  }

  uint64_t params_offset(const Dispatch& dispatch) const { return dispatch.params.empty() ? 0 : params_offsets.at(key(dispatch.params)); }

  static std::string key(const std::vector<uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

  std::vector<uint8_t> params;
  std::map<std::string, uint64_t> params_offsets;
  /** Per buffer of the plan: where it begins, if it is one of these. */
  std::vector<std::optional<uint64_t>> offsets;
  uint64_t size_bytes = 0;
};

Result<std::shared_ptr<CompiledPlan>> CompiledPlan::create(const Context& context, PipelineStore& store, const Plan& plan,
                                                           const std::vector<std::shared_ptr<Buffer>>& externals, size_t commands_per_part) {
  if (!indices_fit(plan)) return Failure{code::kPlanInvalid, "plan '" + plan.label + "': a command names what is not there"};
  auto pipelines = store.get(context, plan.kernels);
  if (auto* failure = std::get_if<Failure>(&pipelines)) return std::move(*failure);

  auto compiled = std::make_shared<CompiledPlan>();
  compiled->label_ = plan.label;
  compiled->commands_per_part_ = commands_per_part;
  compiled->pipelines_ = std::move(std::get<0>(pipelines));
  const Inputs inputs(plan);
  context.push_scopes();
  MaybeFailure failure = compiled->create_buffers(context, plan, externals, inputs);
  if (!failure) compiled->create_commands(context, plan, inputs);
  MaybeFailure scoped = context.pop_scopes("compile of plan '" + plan.label + "'");
  if (!failure) failure = std::move(scoped);
  if (failure) {
    compiled->destroy();
    return *failure;
  }
  return compiled;
}

MaybeFailure CompiledPlan::create_buffers(const Context& context, const Plan& plan, const std::vector<std::shared_ptr<Buffer>>& externals,
                                          const Inputs& inputs) {
  constexpr WGPUBufferUsage kUsage = WGPUBufferUsage_Storage | WGPUBufferUsage_CopyDst | WGPUBufferUsage_CopySrc;
  if (inputs.size_bytes > 0) {
    inputs_ = context.create_buffer(plan.label + ": inputs", inputs.size_bytes, kUsage | WGPUBufferUsage_Uniform);
    if (!inputs_) return Failure{code::kOutOfMemory, "plan '" + plan.label + "': no memory for its inputs"};
  }
  if (!inputs.params.empty()) dawn().QueueWriteBuffer(context.queue(), inputs_.get(), 0, inputs.params.data(), inputs.params.size());
  for (size_t i = 0; i < plan.buffers.size(); ++i) {
    const PlanBuffer& buffer = plan.buffers[i];
    offsets_.push_back(inputs.offsets[i].value_or(buffer.offset_bytes));
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
    if (inputs.offsets[i]) {
      buffers_.push_back(inputs_.get());
      continue;
    }
    owned_.push_back(context.create_buffer(plan.label + ": " + buffer.name, buffer.size_bytes, kUsage));
    buffers_.push_back(owned_.back().get());
    if (!owned_.back()) return Failure{code::kOutOfMemory, "plan '" + plan.label + "': no memory for buffer '" + buffer.name + "'"};
  }
  return std::nullopt;
}

void CompiledPlan::create_commands(const Context& context, const Plan& plan, const Inputs& inputs) {
  std::map<GroupKey, WGPUBindGroup> groups;
  const auto bind_group = [&](const Dispatch& dispatch) {
    const Pipeline& pipeline = *pipelines_[dispatch.kernel];
    const PlanKernel& kernel = plan.kernels[dispatch.kernel];
    const uint64_t params_offset = inputs.params_offset(dispatch);
    WGPUBindGroup& group = groups[{&pipeline, dispatch.buffers, params_offset}];
    if (group == nullptr) {
      std::vector<WGPUBindGroupEntry> entries;
      for (uint32_t index : dispatch.buffers) {
        entries.push_back(entry(static_cast<uint32_t>(entries.size()), buffers_[index], offsets_[index], sizes_[index]));
      }
      if (kernel.params_size_bytes > 0) entries.push_back(entry(kParamsBinding, inputs_.get(), params_offset, kernel.params_size_bytes));
      if (kernel.uses_step) {
        const auto step = static_cast<size_t>(plan.step_buffer);
        entries.push_back(entry(kStepBinding, buffers_[step], offsets_[step], sizes_[step]));
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
  if (inputs_) dawn().BufferDestroy(inputs_.get());
  if (resolve_) dawn().BufferDestroy(resolve_.get());
  commands_.clear();
  groups_.clear();
  query_sets_.clear();
}

}  // namespace synglot
