// Waits and error scopes of an open device. open.cc opens it.
#include "context.h"

#include <algorithm>
#include <chrono>

namespace synglot {
namespace {

constexpr uint64_t kSliceMs = 20;
// The user's time-out does not cover opening and compiling: this bounds a driver that hangs.
constexpr uint64_t kSetupTimeoutMs = 10 * 60 * 1000;
// The last is closed, and so reported, first: what could not be made makes what uses it invalid.
constexpr std::array kScopes = {WGPUErrorFilter_Validation, WGPUErrorFilter_Internal, WGPUErrorFilter_OutOfMemory};

struct PoppedScope {
  WGPUErrorType type = WGPUErrorType_NoError;
  std::string message;
};

void on_scope_popped(WGPUPopErrorScopeStatus status, WGPUErrorType type, WGPUStringView message, void* userdata, void*) noexcept {
  const std::unique_ptr<std::shared_ptr<PoppedScope>> popped(static_cast<std::shared_ptr<PoppedScope>*>(userdata));
  if (status != WGPUPopErrorScopeStatus_Success) return;
  try {
    (*popped)->message = text(message);
    (*popped)->type = type;
  } catch (...) {
    (*popped)->type = WGPUErrorType_OutOfMemory;
  }
}

}  // namespace

void DeviceState::record_loss(std::string message) {
  const std::lock_guard lock(mutex_);
  if (!loss_) loss_ = Failure{code::kLost, std::move(message)};
}

void DeviceState::record_uncaptured(Failure failure) {
  const std::lock_guard lock(mutex_);
  if (!uncaptured_) uncaptured_ = std::move(failure);
}

MaybeFailure DeviceState::loss() const {
  const std::lock_guard lock(mutex_);
  return loss_;
}

MaybeFailure DeviceState::take_uncaptured() {
  const std::lock_guard lock(mutex_);
  return std::exchange(uncaptured_, std::nullopt);
}

Context::~Context() {
  queue_.reset();
  if (device_) dawn().DeviceDestroy(device_.get());
  device_.reset();
  adapter_.reset();
  instance_.reset();
}

Waited Context::wait(WGPUFuture future, uint64_t slice_ms) const {
  WGPUFutureWaitInfo info = WGPU_FUTURE_WAIT_INFO_INIT;
  info.future = future;
  const WGPUWaitStatus status = dawn().InstanceWaitAny(instance_.get(), 1, &info, slice_ms * 1'000'000);
  if (status == WGPUWaitStatus_Success) return Waited::kDone;
  return status == WGPUWaitStatus_TimedOut ? Waited::kNotYet : Waited::kError;
}

MaybeFailure Context::wait_all(WGPUFuture future, const std::string& what) const {
  const auto start = std::chrono::steady_clock::now();
  const uint64_t limit_ms = std::max(timeout_ms_, kSetupTimeoutMs);
  for (;;) {
    const Waited waited = wait(future, kSliceMs);
    if (waited == Waited::kDone) return std::nullopt;
    if (MaybeFailure loss = state_->loss()) return loss;
    if (waited == Waited::kError) return Failure{code::kLost, what + ": waiting for the device failed"};
    if (std::chrono::steady_clock::now() - start > std::chrono::milliseconds(limit_ms)) {
      return Failure{code::kTimeout, what + ": the device did not answer within " + std::to_string(limit_ms) + " ms"};
    }
  }
}

void Context::push_scopes() const {
  for (WGPUErrorFilter filter : kScopes) dawn().DevicePushErrorScope(device_.get(), filter);
}

MaybeFailure Context::pop_scopes(const std::string& what) const {
  MaybeFailure first;
  for (size_t i = 0; i < kScopes.size(); ++i) {
    auto popped = std::make_shared<PoppedScope>();
    WGPUPopErrorScopeCallbackInfo info = WGPU_POP_ERROR_SCOPE_CALLBACK_INFO_INIT;
    info.mode = WGPUCallbackMode_WaitAnyOnly;
    info.callback = on_scope_popped;
    info.userdata1 = new std::shared_ptr<PoppedScope>(popped);
    MaybeFailure failure = wait_all(dawn().DevicePopErrorScope(device_.get(), info), what);
    if (!failure && popped->type != WGPUErrorType_NoError) {
      const bool memory = popped->type == WGPUErrorType_OutOfMemory;
      failure = Failure{memory ? code::kOutOfMemory : code::kValidation, what + ": " + popped->message};
    }
    if (failure && !first) first = std::move(failure);
  }
  if (MaybeFailure loss = state_->loss()) return loss;
  return first;
}

MaybeFailure Context::check() {
  if (MaybeFailure loss = state_->loss()) return loss;
  return state_->take_uncaptured();
}

BufferHandle Context::create_buffer(const std::string& label, uint64_t size_bytes, WGPUBufferUsage usage) const {
  WGPUBufferDescriptor descriptor = WGPU_BUFFER_DESCRIPTOR_INIT;
  descriptor.label = view(label);
  descriptor.size = size_bytes;
  descriptor.usage = usage;
  return BufferHandle(dawn().DeviceCreateBuffer(device_.get(), &descriptor));
}

}  // namespace synglot
