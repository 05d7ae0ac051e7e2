// Carries outcomes to the JavaScript thread and resolves or rejects there.
#include "settle.h"

#include "device.h"

namespace synglot {
namespace {

// A compilation or a driver that hangs must not keep the process.
constexpr std::chrono::seconds kExitTimeout{10};

}  // namespace

Napi::Error to_error(Napi::Env env, const Failure& failure) {
  Napi::Error error = Napi::Error::New(env, failure.message);
  error.Set("code", Napi::String::New(env, failure.code.data(), failure.code.size()));
  return error;
}

Settler::Settler(Napi::Env env) : env_(env), function_(Function::New(env, "synglot", 0, 1, this)) {
  function_.Unref(env);
  // `process.exit` on the main thread runs no hooks, but destroys the drivers' globals.
  const auto process = env.Global().Get("process").As<Napi::Object>();
  const auto on_exit = Napi::Function::New(env, [this](const Napi::CallbackInfo&) { stop_for_exit(); });
  process.Get("once").As<Napi::Function>().Call(process, {Napi::String::New(env, "exit"), on_exit});
  // Hooks run last in, first out: this one runs before the thread-safe function's own. Nothing that throws (as the above
  // does in a worker that is being terminated) may follow: the hook would outlive this object.
  napi_add_env_cleanup_hook(env_, on_cleanup, this);
}

Settler::~Settler() = default;

void Settler::on_cleanup(void* settler) { static_cast<Settler*>(settler)->stop(); }

void Settler::stop() {
  for (const std::weak_ptr<Device>& entry : devices_) {
    if (const std::shared_ptr<Device> device = entry.lock()) device->join();
  }
  devices_.clear();
  opening_.clear();
}

void Settler::stop_for_exit() {
  const auto deadline = std::chrono::steady_clock::now() + kExitTimeout;
  for (const std::weak_ptr<Device>& entry : devices_) {
    if (const std::shared_ptr<Device> device = entry.lock()) device->stop();
  }
  for (const std::weak_ptr<Device>& entry : devices_) {
    if (const std::shared_ptr<Device> device = entry.lock()) device->join_until(deadline);
  }
}

void Settler::hold(const std::shared_ptr<Device>& device) {
  std::erase_if(opening_, [](const std::shared_ptr<Device>& entry) { return entry->finished(); });
  std::erase_if(devices_, [](const std::weak_ptr<Device>& entry) { return entry.expired(); });
  opening_.push_back(device);
  devices_.push_back(device);
}

void Settler::take(const std::shared_ptr<Device>& device) { std::erase(opening_, device); }

std::shared_ptr<Settler::Ticket> Settler::ticket(Napi::Env env, const Napi::Value& keep_alive) {
  auto ticket = std::make_shared<Ticket>(*this, env, keep_alive);
  if (pending_++ == 0) function_.Ref(env);
  return ticket;
}

Settler::Ticket::Ticket(Settler& settler, Napi::Env env, const Napi::Value& keep_alive)
    : settler_(settler),
      deferred_(Napi::Promise::Deferred::New(env)),
      kept_(new Napi::ObjectReference(Napi::Persistent(keep_alive.As<Napi::Object>()))) {}

Settler::Ticket::~Ticket() { settle(Failure{code::kDestroyed, "The executor was destroyed"}); }

void Settler::Ticket::settle(Result<Build> outcome) noexcept {
  if (settled_) return;
  settled_ = true;
  try {
    auto settlement = std::make_unique<Settlement>(Settlement{deferred_, std::move(outcome), kept_});
    // Fails only while the environment shuts down: nobody waits any more, and the reference goes with it.
    if (settler_.function_.NonBlockingCall(settlement.get()) == napi_ok) settlement.release();
  } catch (...) {
  }
}

void Settler::deliver(Napi::Env env, Napi::Function, Settler* settler, Settlement* settlement) {
  const std::unique_ptr<Settlement> owned(settlement);
  if (static_cast<napi_env>(env) == nullptr) return;
  const std::unique_ptr<Napi::ObjectReference> kept(settlement->kept);
  try {
    if (const auto* failure = std::get_if<Failure>(&owned->outcome)) {
      owned->deferred.Reject(to_error(env, *failure).Value());
    } else {
      owned->deferred.Resolve(std::get<Build>(owned->outcome)(env));
    }
  } catch (const Napi::Error& error) {
    owned->deferred.Reject(error.Value());
  } catch (const std::exception& error) {
    owned->deferred.Reject(to_error(env, {code::kOutOfMemory, std::string("the result could not be made: ") + error.what()}).Value());
  }
  if (--settler->pending_ == 0) settler->function_.Unref(env);
}

}  // namespace synglot
