// What a run, a read and a write do on the device's thread.
#include "device.h"

namespace synglot {
namespace {

constexpr uint64_t kFlushAfterBytes = 64ULL << 20;
constexpr uint64_t kReadAlignment = 16;

uint64_t round_up(uint64_t size, uint64_t alignment) { return (size + alignment - 1) / alignment * alignment; }

// What is waited for carries no result of its own: a failed map shows as a null mapped range, a
// lost device in DeviceState. So the callbacks have nothing to do.
void on_mapped(WGPUMapAsyncStatus, WGPUStringView, void*, void*) noexcept {}
void on_done(WGPUQueueWorkDoneStatus, WGPUStringView, void*, void*) noexcept {}

WGPUFuture work_done(WGPUQueue queue) {
  WGPUQueueWorkDoneCallbackInfo info = WGPU_QUEUE_WORK_DONE_CALLBACK_INFO_INIT;
  info.mode = WGPUCallbackMode_WaitAnyOnly;
  info.callback = on_done;
  return dawn().QueueOnSubmittedWorkDone(queue, info);
}

WGPUFuture map_for_read(WGPUBuffer buffer, uint64_t size_bytes) {
  WGPUBufferMapCallbackInfo info = WGPU_BUFFER_MAP_CALLBACK_INFO_INIT;
  info.mode = WGPUCallbackMode_WaitAnyOnly;
  info.callback = on_mapped;
  return dawn().BufferMapAsync(buffer, WGPUMapMode_Read, 0, size_bytes, info);
}

}  // namespace

CommandEncoder Device::create_encoder(const std::string& label) const {
  WGPUCommandEncoderDescriptor descriptor = WGPU_COMMAND_ENCODER_DESCRIPTOR_INIT;
  descriptor.label = view(label);
  return CommandEncoder(dawn().DeviceCreateCommandEncoder(context_->device(), &descriptor));
}

MaybeFailure Device::flush() {
  unflushed_write_bytes_ = 0;
  dawn().QueueSubmit(context_->queue(), 0, nullptr);
  return context_->wait_all(work_done(context_->queue()), "write");
}

// Errors of a write have no promise to reject; Dawn's uncaptured-error callback keeps them for the
// next call that has one.
void Device::do_write(const Buffer& buffer, uint64_t offset_bytes, const Bytes& data) {
  if (!buffer.handle || context_->state().loss()) return;
  dawn().QueueWriteBuffer(context_->queue(), buffer.handle.get(), offset_bytes, data.data(), data.size());
  // Dawn keeps written bytes in host memory until a submission: bound that.
  unflushed_write_bytes_ += data.size();
  if (unflushed_write_bytes_ < kFlushAfterBytes) return;
  if (MaybeFailure failure = flush()) context_->state().record_uncaptured(*failure);
}

// Expects open error scopes; closes them.
MaybeFailure Device::submit(WGPUCommandEncoder encoder, Staging staging, uint64_t mapped_bytes, const std::string& what,
                            std::function<void(MaybeFailure, const uint8_t*)> finish) {
  const CommandBuffer commands(dawn().CommandEncoderFinish(encoder, nullptr));
  const WGPUCommandBuffer list[] = {commands.get()};
  dawn().QueueSubmit(context_->queue(), 1, list);
  unflushed_write_bytes_ = 0;
  if (MaybeFailure failure = context_->pop_scopes(what)) return failure;
  InFlight entry;
  entry.future = mapped_bytes > 0 ? map_for_read(staging.buffer.get(), mapped_bytes) : work_done(context_->queue());
  entry.what = what;
  entry.staging = std::move(staging);
  entry.mapped_bytes = mapped_bytes;
  entry.finish = std::move(finish);
  entry.since = std::chrono::steady_clock::now();
  in_flight_.push_back(std::move(entry));
  return std::nullopt;
}

void Device::do_read(const Buffer& buffer, uint64_t offset_bytes, uint64_t size_bytes, const Done<Bytes>& done) {
  if (MaybeFailure failure = context_->check()) return done(*failure);
  if (buffer.failure) return done(*buffer.failure);
  const std::string what = "read of buffer '" + buffer.label + "'";
  context_->push_scopes();
  const CommandEncoder encoder = create_encoder(what);
  Staging staging = staging_.take(*context_, size_bytes);
  dawn().CommandEncoderCopyBufferToBuffer(encoder.get(), buffer.handle.get(), offset_bytes, staging.buffer.get(), 0, size_bytes);
  MaybeFailure failure = submit(encoder.get(), std::move(staging), size_bytes, what, [done, size_bytes](MaybeFailure failed, const uint8_t* mapped) {
    if (failed) return done(*failed);
    done(Bytes(mapped, mapped + size_bytes));
  });
  if (failure) done(*failure);
}

void Device::do_run(const std::shared_ptr<CompiledPlan>& plan, const RunRequest& request, const Done<RunOutput>& done) {
  const std::string what = "run of plan '" + plan->label() + "'";
  if (MaybeFailure failure = context_->check()) return done(*failure);
  if (plan->destroyed()) return done(Failure{code::kValidation, what + ": the plan was destroyed"});
  const bool timed = request.profile && context_->has_timestamps() && plan->timestamp_bytes() > 0;
  context_->push_scopes();
  for (const RunRequest::Feed& feed : request.feeds) {
    dawn().QueueWriteBuffer(context_->queue(), plan->buffer(feed.buffer), plan->buffer_offset(feed.buffer), feed.data.data(), feed.data.size());
  }
  if (timed) plan->prepare_timestamps(*context_);
  const CommandEncoder encoder = create_encoder(plan->label());
  plan->encode(encoder.get(), timed);

  std::vector<uint64_t> offsets;
  uint64_t total = 0;
  for (const RunRequest::Read& read : request.reads) {
    offsets.push_back(total);
    total += round_up(read.size_bytes, kReadAlignment);
  }
  const uint64_t timestamps_offset = total;
  if (timed) total += plan->timestamp_bytes();
  Staging staging;
  if (total > 0) staging = staging_.take(*context_, total);
  for (size_t i = 0; i < request.reads.size(); ++i) {
    const RunRequest::Read& read = request.reads[i];
    dawn().CommandEncoderCopyBufferToBuffer(encoder.get(), plan->buffer(read.buffer), plan->buffer_offset(read.buffer), staging.buffer.get(), offsets[i],
                                            round_up(read.size_bytes, 4));
  }
  if (timed) plan->resolve_timestamps(encoder.get(), staging.buffer.get(), timestamps_offset);

  std::vector<uint64_t> sizes;
  for (const RunRequest::Read& read : request.reads) sizes.push_back(read.size_bytes);
  const uint64_t timestamp_bytes = timed ? plan->timestamp_bytes() : 0;
  // Holds the plan, so that its buffers outlive the submission.
  auto finish = [done, plan, offsets, sizes, timestamps_offset, timestamp_bytes](MaybeFailure failed, const uint8_t* mapped) {
    if (failed) return done(*failed);
    RunOutput output;
    for (size_t i = 0; i < sizes.size(); ++i) output.reads.emplace_back(mapped + offsets[i], mapped + offsets[i] + sizes[i]);
    output.timed = timestamp_bytes > 0;
    const auto* first = reinterpret_cast<const uint64_t*>(mapped == nullptr ? nullptr : mapped + timestamps_offset);
    if (output.timed) output.timestamps.assign(first, first + timestamp_bytes / sizeof(uint64_t));
    done(std::move(output));
  };
  if (MaybeFailure failure = submit(encoder.get(), std::move(staging), total, what, std::move(finish))) done(*failure);
}

}  // namespace synglot
