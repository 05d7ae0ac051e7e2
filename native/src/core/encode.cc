// Encodes a compiled plan, part by part: one compute pass for each unbroken series of dispatches.
#include <algorithm>
#include <span>

#include "compiled_plan.h"

namespace synglot {
namespace {

// WebGPU allows 4096 queries in a set: 2048 dispatches.
constexpr size_t kDispatchesPerSet = 2048;

}  // namespace

void CompiledPlan::encode_dispatch(WGPUComputePassEncoder pass, const EncodedDispatch& dispatch, const EncodedDispatch* before) const {
  if (before == nullptr || before->pipeline != dispatch.pipeline) dawn().ComputePassEncoderSetPipeline(pass, dispatch.pipeline);
  if (before == nullptr || before->group != dispatch.group) dawn().ComputePassEncoderSetBindGroup(pass, 0, dispatch.group, 0, nullptr);
  dawn().ComputePassEncoderDispatchWorkgroups(pass, dispatch.workgroups[0], dispatch.workgroups[1], dispatch.workgroups[2]);
}

void CompiledPlan::encode(WGPUCommandEncoder encoder, size_t part, bool timed) const {
  ComputePass pass;
  const EncodedDispatch* before = nullptr;
  const auto end_pass = [&] {
    if (!pass) return;
    dawn().ComputePassEncoderEnd(pass.get());
    pass.reset();
    before = nullptr;
  };
  const size_t first = part * commands_per_part_;
  const size_t count = std::min(commands_per_part_, commands_.size() - first);
  for (const auto& command : std::span(commands_).subspan(first, count)) {
    if (const auto* dispatch = std::get_if<EncodedDispatch>(&command)) {
      if (timed) end_pass();
      if (!pass) {
        WGPUPassTimestampWrites writes = WGPU_PASS_TIMESTAMP_WRITES_INIT;
        WGPUComputePassDescriptor descriptor = WGPU_COMPUTE_PASS_DESCRIPTOR_INIT;
        if (timed) {
          const auto begin = static_cast<uint32_t>(2 * (dispatch->index % kDispatchesPerSet));
          writes.querySet = query_sets_[dispatch->index / kDispatchesPerSet].get();
          writes.beginningOfPassWriteIndex = begin;
          writes.endOfPassWriteIndex = begin + 1;
          descriptor.timestampWrites = &writes;
        }
        pass.reset(dawn().CommandEncoderBeginComputePass(encoder, &descriptor));
      }
      encode_dispatch(pass.get(), *dispatch, before);
      before = dispatch;
      continue;
    }
    end_pass();
    if (const auto* copy = std::get_if<EncodedCopy>(&command)) {
      dawn().CommandEncoderCopyBufferToBuffer(encoder, copy->source, copy->source_offset, copy->destination, copy->destination_offset, copy->size);
    } else if (const auto* clear = std::get_if<EncodedClear>(&command)) {
      dawn().CommandEncoderClearBuffer(encoder, clear->buffer, clear->offset, clear->size);
    }
  }
  end_pass();
}

void CompiledPlan::prepare_timestamps(const Context& context) {
  if (!query_sets_.empty() || dispatch_count_ == 0) return;
  for (size_t first = 0; first < dispatch_count_; first += kDispatchesPerSet) {
    WGPUQuerySetDescriptor descriptor = WGPU_QUERY_SET_DESCRIPTOR_INIT;
    descriptor.type = WGPUQueryType_Timestamp;
    descriptor.count = static_cast<uint32_t>(2 * std::min(kDispatchesPerSet, dispatch_count_ - first));
    query_sets_.emplace_back(dawn().DeviceCreateQuerySet(context.device(), &descriptor));
  }
  resolve_ = context.create_buffer(label_ + ": timestamps", timestamp_bytes(), WGPUBufferUsage_QueryResolve | WGPUBufferUsage_CopySrc);
}

void CompiledPlan::resolve_timestamps(WGPUCommandEncoder encoder, WGPUBuffer staging, uint64_t offset_bytes) const {
  size_t first = 0;
  for (const QuerySet& set : query_sets_) {
    const size_t count = std::min(kDispatchesPerSet, dispatch_count_ - first);
    const uint64_t offset = 2 * sizeof(uint64_t) * first;
    dawn().CommandEncoderResolveQuerySet(encoder, set.get(), 0, static_cast<uint32_t>(2 * count), resolve_.get(), offset);
    first += count;
  }
  dawn().CommandEncoderCopyBufferToBuffer(encoder, resolve_.get(), 0, staging, offset_bytes, timestamp_bytes());
}

}  // namespace synglot
