// What a run, a read and a write do on the device's thread.
#include "device.h"
#include "thread_time.h"

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

CommandBuffer Device::record(const CompiledPlan& plan, bool timed) const {
  const CommandEncoder encoder = create_encoder(plan.label());
  plan.encode(encoder.get(), timed);
  return CommandBuffer(dawn().CommandEncoderFinish(encoder.get(), nullptr));
}

// A command buffer serves once. The next one of a plan that is run again and again is recorded while the
// device works on this one. An error is dropped with what it spoilt: the next run records for itself and tells.
void Device::record_ahead(CompiledPlan& plan) const {
  if (!plan.wants_recording()) return;
  context_->push_scopes();
  CommandBuffer commands = record(plan, false);
  if (!context_->pop_scopes(plan.label())) plan.keep_recorded(std::move(commands));
}

// Expects open error scopes; closes them.
MaybeFailure Device::submit(std::vector<WGPUCommandBuffer> commands, Staging staging, uint64_t mapped_bytes, const std::string& what,
                            std::function<void(MaybeFailure, const uint8_t*)> finish) {
  dawn().QueueSubmit(context_->queue(), commands.size(), commands.data());
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
  const CommandBuffer commands(dawn().CommandEncoderFinish(encoder.get(), nullptr));
  MaybeFailure failure = submit({commands.get()}, std::move(staging), size_bytes, what, [done, size_bytes](MaybeFailure failed, const uint8_t* mapped) {
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
  // Shared with what settles the run, which comes after the submission that is measured.
  const auto host = std::make_shared<HostTime>();
  const uint64_t begin = thread_time_ns();
  context_->push_scopes();
  for (const RunRequest::Feed& feed : request.feeds) {
    dawn().QueueWriteBuffer(context_->queue(), plan->buffer(feed.buffer), plan->buffer_offset(feed.buffer), feed.data.data(), feed.data.size());
  }
  const uint64_t fed = thread_time_ns();
  if (timed) plan->prepare_timestamps(*context_);
  CommandBuffer commands = timed ? CommandBuffer() : plan->take_recorded();
  if (!commands) commands = record(*plan, timed);

  // What is read back differs from run to run, so it has a command buffer of its own.
  const CommandEncoder encoder = create_encoder(what);
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
    // Where nothing at all is read there is no buffer to copy to.
    if (read.size_bytes == 0) continue;
    dawn().CommandEncoderCopyBufferToBuffer(encoder.get(), plan->buffer(read.buffer), plan->buffer_offset(read.buffer), staging.buffer.get(), offsets[i],
                                            round_up(read.size_bytes, 4));
  }
  if (timed) plan->resolve_timestamps(encoder.get(), staging.buffer.get(), timestamps_offset);

  std::vector<uint64_t> sizes;
  for (const RunRequest::Read& read : request.reads) sizes.push_back(read.size_bytes);
  const uint64_t timestamp_bytes = timed ? plan->timestamp_bytes() : 0;
  // Holds the plan, so that its buffers outlive the submission.
  auto finish = [done, plan, host, offsets, sizes, timestamps_offset, timestamp_bytes](MaybeFailure failed, const uint8_t* mapped) {
    if (failed) return done(*failed);
    RunOutput output;
    output.host = *host;
    for (size_t i = 0; i < sizes.size(); ++i) output.reads.emplace_back(mapped + offsets[i], mapped + offsets[i] + sizes[i]);
    output.timed = timestamp_bytes > 0;
    const auto* first = reinterpret_cast<const uint64_t*>(mapped == nullptr ? nullptr : mapped + timestamps_offset);
    if (output.timed) output.timestamps.assign(first, first + timestamp_bytes / sizeof(uint64_t));
    done(std::move(output));
  };
  const CommandBuffer copies(dawn().CommandEncoderFinish(encoder.get(), nullptr));
  const uint64_t encoded = thread_time_ns();
  if (MaybeFailure failure = submit({commands.get(), copies.get()}, std::move(staging), total, what, std::move(finish))) return done(*failure);
  const uint64_t submitted = thread_time_ns();
  record_ahead(*plan);
  *host = {fed - begin, encoded - fed, submitted - encoded, thread_time_ns() - submitted};
}

}  // namespace synglot
