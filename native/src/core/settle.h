// Promises that the device's thread settles: the only way from that thread into JavaScript.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <vector>

#include "context.h"

namespace synglot {

class Device;

/** An Error with the failure's `code`. */
Napi::Error to_error(Napi::Env env, const Failure& failure);

/** Per-environment state: the thread-safe function, and the devices to stop before it goes. */
class Settler {
 public:
  explicit Settler(Napi::Env env);
  ~Settler();

  using Build = std::function<Napi::Value(Napi::Env)>;

  /** A promise and the callback that settles it; dropped unsettled, it rejects with EXECUTOR_DESTROYED. */
  class Ticket {
   public:
    Ticket(Settler& settler, Napi::Env env, const Napi::Value& keep_alive);
    ~Ticket();
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;
    Napi::Promise promise() const { return deferred_.Promise(); }
    void settle(Result<Build> outcome) noexcept;

   private:
    Settler& settler_;
    Napi::Promise::Deferred deferred_;
    Napi::ObjectReference* kept_;
    bool settled_ = false;
  };

  /**
   * Called on the JavaScript thread; keeps the process and the object `keep_alive` alive until the
   * ticket is settled.
   */
  std::shared_ptr<Ticket> ticket(Napi::Env env, const Napi::Value& keep_alive);
  /** Keeps a device while it opens; `take` lets go of it, the next `hold` drops those that failed. */
  void hold(const std::shared_ptr<Device>& device);
  void take(const std::shared_ptr<Device>& device);

 private:
  struct Settlement {
    Napi::Promise::Deferred deferred;
    Result<Build> outcome;
    Napi::ObjectReference* kept;
  };
  static void deliver(Napi::Env env, Napi::Function, Settler* settler, Settlement* settlement);
  using Function = Napi::TypedThreadSafeFunction<Settler, Settlement, deliver>;

  void stop();
  void stop_for_exit();
  static void on_cleanup(void* settler);

  napi_env env_;
  Function function_;
  size_t pending_ = 0;
  std::vector<std::weak_ptr<Device>> devices_;
  std::vector<std::shared_ptr<Device>> opening_;
};

}  // namespace synglot
