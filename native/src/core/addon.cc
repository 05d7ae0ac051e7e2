// The addon's face: classes NativeDevice, NativeBuffer and NativePlan, and the function `load`.
// Every method converts, queues and returns; see device.h for what happens then.
#include <algorithm>

#include "convert.h"
#include "settle.h"
#include "thread_time.h"
#include "vulkan_layer.h"

namespace synglot {
namespace {

constexpr napi_type_tag kBufferTag = {0x73796e676c6f7401ULL, 0x6275666665720001ULL};
constexpr napi_type_tag kPlanTag = {0x73796e676c6f7402ULL, 0x706c616e00000002ULL};

struct AddonData {
  explicit AddonData(Napi::Env env) : settler(env) {}
  Settler settler;
  Napi::FunctionReference device_class;
  Napi::FunctionReference buffer_class;
  Napi::FunctionReference plan_class;
};

Settler& settler_of(Napi::Env env) { return env.GetInstanceData<AddonData>()->settler; }

/** Adapts a ticket to the core's callback; `build` runs on the JavaScript thread. */
template <typename T>
Done<T> done_with(std::shared_ptr<Settler::Ticket> ticket, std::function<Napi::Value(Napi::Env, T&)> build) {
  return [ticket = std::move(ticket), build = std::move(build)](Result<T> result) {
    if (auto* failure = std::get_if<Failure>(&result)) return ticket->settle(std::move(*failure));
    auto value = std::make_shared<T>(std::move(std::get<0>(result)));
    // Moved: what JavaScript's thread delivers is its own.
    ticket->settle(Settler::Build([build, value = std::move(value)](Napi::Env env) { return build(env, *value); }));
  };
}

/** What a NativeBuffer or NativePlan holds: the object, and the device on whose thread it is released. */
template <typename T>
struct Held {
  std::shared_ptr<Device> device;
  std::shared_ptr<T> object;

  Held() = default;
  Held(std::shared_ptr<Device> its_device, std::shared_ptr<T> its_object) : device(std::move(its_device)), object(std::move(its_object)) {}
  Held(Held&&) = default;
  Held& operator=(Held&&) = default;
  // Moved, not copied: with a copy left here, this thread could be the last to let go.
  ~Held() {
    if (object) device->retire(std::move(object));
  }
};

template <typename T>
class Wrapped : public Napi::ObjectWrap<Wrapped<T>> {
 public:
  explicit Wrapped(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Wrapped<T>>(info) {
    if (info.Length() != 1 || !info[0].IsExternal()) throw Napi::TypeError::New(info.Env(), "made by a NativeDevice only");
    held_ = std::move(*info[0].As<Napi::External<Held<T>>>().Data());
  }

  static Napi::Object create(Napi::Env env, Napi::FunctionReference& type, const napi_type_tag& tag, Held<T> held) {
    Napi::Object object = type.New({Napi::External<Held<T>>::New(env, &held)});
    object.TypeTag(&tag);
    return object;
  }

  static Wrapped& from(const Napi::Value& value, const napi_type_tag& tag, const char* name) {
    if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&tag)) {
      throw Napi::TypeError::New(value.Env(), std::string("Expected a native object for `") + name + "`");
    }
    return *Napi::ObjectWrap<Wrapped<T>>::Unwrap(value.As<Napi::Object>());
  }

  void destroy(const Napi::CallbackInfo&) {
    if (!destroyed_) held_.device->destroy(held_.object);
    destroyed_ = true;
  }

  const Held<T>& held() const { return held_; }

 protected:
  Held<T> held_;
  bool destroyed_ = false;
};

using WrappedBuffer = Wrapped<Buffer>;
using WrappedPlan = Wrapped<CompiledPlan>;

/** run(feedIndices, feeds, readIndices, readSizes, profile): Promise<{ reads, host, timestamps? }> */
Napi::Value run(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const Held<CompiledPlan>& held = WrappedPlan::from(info.This(), kPlanTag, "this").held();
  const CompiledPlan& plan = *held.object;
  if (info.Length() != 5 || !info[0].IsArray() || !info[1].IsArray() || !info[2].IsArray() || !info[3].IsArray() || !info[4].IsBoolean()) {
    throw Napi::TypeError::New(env, "Expected run(feedIndices, feeds, readIndices, readSizes, profile)");
  }
  const auto feed_indices = info[0].As<Napi::Array>();
  const auto feeds = info[1].As<Napi::Array>();
  const auto read_indices = info[2].As<Napi::Array>();
  const auto read_sizes = info[3].As<Napi::Array>();
  RunRequest request;
  request.profile = info[4].As<Napi::Boolean>().Value();
  const auto check = [&](size_t buffer, uint64_t size) {
    if (buffer >= plan.buffer_count() || size > plan.buffer_size(buffer)) {
      throw to_error(env, {code::kPlanInvalid, "plan '" + plan.label() + "': a feed or read of " + std::to_string(size) + " bytes does not fit buffer " +
                                                   std::to_string(buffer)});
    }
  };
  for (uint32_t i = 0; i < feed_indices.Length(); ++i) {
    // In this order: an array's element may be a getter, and what that runs can take the feed's memory away.
    const uint64_t index = to_size(feed_indices.Get(i), "feedIndices[]");
    const ByteView bytes = to_bytes(feeds.Get(i), "feeds[]");
    RunRequest::Feed feed{index, Bytes(bytes.data, bytes.data + bytes.size)};
    feed.data.resize((bytes.size + 3) / 4 * 4);
    check(feed.buffer, feed.data.size());
    request.feeds.push_back(std::move(feed));
  }
  for (uint32_t i = 0; i < read_indices.Length(); ++i) {
    request.reads.push_back({to_size(read_indices.Get(i), "readIndices[]"), to_size(read_sizes.Get(i), "readSizes[]")});
    check(request.reads.back().buffer, request.reads.back().size_bytes);
  }
  auto ticket = settler_of(env).ticket(env, info.This());
  const Napi::Promise promise = ticket->promise();
  held.device->run(held.object, std::move(request), done_with<RunOutput>(std::move(ticket), [](Napi::Env result_env, RunOutput& output) {
    Napi::Object result = Napi::Object::New(result_env);
    Napi::Array reads = Napi::Array::New(result_env, output.reads.size());
    for (size_t i = 0; i < output.reads.size(); ++i) reads.Set(static_cast<uint32_t>(i), from_bytes(result_env, std::move(output.reads[i])));
    result.Set("reads", reads);
    Napi::Object host = Napi::Object::New(result_env);
    host.Set("feedsNs", static_cast<double>(output.host.feeds));
    host.Set("encodeNs", static_cast<double>(output.host.encode));
    host.Set("submitNs", static_cast<double>(output.host.submit));
    host.Set("aheadNs", static_cast<double>(output.host.ahead));
    result.Set("host", host);
    if (output.timed) {
      const auto* first = reinterpret_cast<const uint8_t*>(output.timestamps.data());
      result.Set("timestamps", from_bytes(result_env, Bytes(first, first + output.timestamps.size() * sizeof(uint64_t))));
    }
    return result;
  }));
  return promise;
}

class WrappedDevice : public Napi::ObjectWrap<WrappedDevice> {
 public:
  explicit WrappedDevice(const Napi::CallbackInfo& info) : Napi::ObjectWrap<WrappedDevice>(info) {
    if (info.Length() != 1 || !info[0].IsExternal()) throw Napi::TypeError::New(info.Env(), "made by openDevice only");
    device_ = *info[0].As<Napi::External<std::shared_ptr<Device>>>().Data();
  }

  Napi::Value create_buffer(const Napi::CallbackInfo& info) {
    std::shared_ptr<Buffer> buffer = device_->create_buffer(to_string(info[0], "label"), to_size(info[1], "sizeBytes"));
    return WrappedBuffer::create(info.Env(), info.Env().GetInstanceData<AddonData>()->buffer_class, kBufferTag, {device_, std::move(buffer)});
  }

  void write(const Napi::CallbackInfo& info) {
    const std::shared_ptr<Buffer> buffer = buffer_of(info[0]);
    const ByteView bytes = to_bytes(info[1], "data");
    const uint64_t offset = to_size(info[2], "offsetBytes");
    check_range(info.Env(), *buffer, offset, bytes.size);
    device_->write(buffer, offset, bytes.data, bytes.size);
  }

  Napi::Value read(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    std::shared_ptr<Buffer> buffer = buffer_of(info[0]);
    const uint64_t offset = to_size(info[1], "offsetBytes");
    const uint64_t size = to_size(info[2], "sizeBytes");
    check_range(env, *buffer, offset, size);
    auto ticket = settler_of(env).ticket(env, info.This());
    const Napi::Promise promise = ticket->promise();
    device_->read(std::move(buffer), offset, size, done_with<Bytes>(std::move(ticket), [](Napi::Env result_env, Bytes& bytes) {
      return from_bytes(result_env, std::move(bytes));
    }));
    return promise;
  }

  /** compile(plan, externals, commandsPerSubmission): externals has one entry per plan buffer, undefined where not external. */
  Napi::Value compile(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    Plan plan = to_plan(info[0]);
    if (!info[1].IsArray()) throw Napi::TypeError::New(env, "Expected an array for `externals`");
    const auto given = info[1].As<Napi::Array>();
    std::vector<std::shared_ptr<Buffer>> externals(plan.buffers.size());
    for (size_t i = 0; i < plan.buffers.size(); ++i) {
      if (plan.buffers[i].external) externals[i] = buffer_of(given.Get(static_cast<uint32_t>(i)));
    }
    const size_t commands_per_part = std::max<size_t>(1, to_size(info[2], "commandsPerSubmission"));
    auto ticket = settler_of(env).ticket(env, info.This());
    const Napi::Promise promise = ticket->promise();
    std::shared_ptr<Device> device = device_;
    // Weak: only the JavaScript side may own the device. Owned by its own task, it could be destroyed on its own thread.
    std::weak_ptr<Device> weak = device;
    device->compile(std::move(plan), std::move(externals), commands_per_part,
                    done_with<std::shared_ptr<CompiledPlan>>(
                        std::move(ticket), [weak](Napi::Env result_env, std::shared_ptr<CompiledPlan>& compiled) -> Napi::Value {
                          std::shared_ptr<Device> owner = weak.lock();
                          if (!owner) throw to_error(result_env, {code::kDestroyed, "The executor was destroyed"});
                          return WrappedPlan::create(result_env, result_env.GetInstanceData<AddonData>()->plan_class, kPlanTag,
                                                     {std::move(owner), std::move(compiled)});
                        }));
    return promise;
  }

  Napi::Value cache_counts(const Napi::CallbackInfo& info) {
    auto ticket = settler_of(info.Env()).ticket(info.Env(), info.This());
    const Napi::Promise promise = ticket->promise();
    device_->cache_counts(done_with<CacheCounts>(std::move(ticket), [](Napi::Env env, CacheCounts& counts) {
      Napi::Object result = Napi::Object::New(env);
      result.Set("hits", counts.hits);
      result.Set("misses", counts.misses);
      result.Set("stores", counts.stores);
      return result;
    }));
    return promise;
  }

  void force_loss(const Napi::CallbackInfo& info) { device_->force_loss(to_string(info[0], "message")); }
  void destroy(const Napi::CallbackInfo&) { device_->stop(); }

 private:
  std::shared_ptr<Buffer> buffer_of(const Napi::Value& value) const {
    const Held<Buffer>& held = WrappedBuffer::from(value, kBufferTag, "buffer").held();
    if (held.device != device_) throw to_error(value.Env(), {code::kValidation, "buffer '" + held.object->label + "' belongs to another executor"});
    return held.object;
  }

  static void check_range(Napi::Env env, const Buffer& buffer, uint64_t offset, uint64_t size) {
    if (offset % 4 == 0 && size % 4 == 0 && offset <= buffer.size_bytes && size <= buffer.size_bytes - offset) return;
    throw to_error(env, {code::kValidation, "bytes " + std::to_string(offset) + " to " + std::to_string(offset + size) + " of buffer '" + buffer.label +
                                                "', which has " + std::to_string(buffer.size_bytes) + " (multiples of 4 expected)"});
  }

  std::shared_ptr<Device> device_;
};

Napi::Value thread_time(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), static_cast<double>(thread_time_ns())); }

void load(const Napi::CallbackInfo& info) {
  if (MaybeFailure failure = load_dawn(to_string(info[0], "path"))) throw to_error(info.Env(), *failure);
}

Napi::Value take_devices(const Napi::CallbackInfo& info) {
  Napi::Array list = Napi::Array::New(info.Env());
  for (const VulkanDevice& device : take_vulkan_devices()) {
    Napi::Object entry = Napi::Object::New(info.Env());
    entry.Set("name", device.name);
    entry.Set("type", device.type);
    if (!device.pci.empty()) entry.Set("pci", device.pci);
    list.Set(list.Length(), entry);
  }
  return list;
}

Napi::Value open(const Napi::CallbackInfo& info, bool adapter_only) {
  Napi::Env env = info.Env();
  OpenOptions options = to_open_options(info[0]);
  options.adapter_only = adapter_only;
  auto ticket = settler_of(env).ticket(env, info.This());
  const Napi::Promise promise = ticket->promise();
  // Filled below and read on the JavaScript thread. Weak: a device owned by its own thread would join itself.
  auto slot = std::make_shared<std::weak_ptr<Device>>();
  auto done = done_with<DeviceDescription>(std::move(ticket), [slot, adapter_only](Napi::Env result_env, DeviceDescription& description) -> Napi::Value {
    Napi::Object result = from_description(result_env, description);
    std::shared_ptr<Device> device = slot->lock();
    settler_of(result_env).take(device);
    if (adapter_only) return result;
    Napi::Object wrapped = result_env.GetInstanceData<AddonData>()->device_class.New({Napi::External<std::shared_ptr<Device>>::New(result_env, &device)});
    wrapped.Set("info", result);
    return wrapped;
  });
  const auto device = std::make_shared<Device>(std::move(options), std::move(done));
  *slot = device;
  settler_of(env).hold(device);
  return promise;
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  auto* data = new AddonData(env);
  env.SetInstanceData(data);
  Napi::Function device = WrappedDevice::DefineClass(env, "NativeDevice",
                                                     {WrappedDevice::InstanceMethod("createBuffer", &WrappedDevice::create_buffer),
                                                      WrappedDevice::InstanceMethod("write", &WrappedDevice::write),
                                                      WrappedDevice::InstanceMethod("read", &WrappedDevice::read),
                                                      WrappedDevice::InstanceMethod("compile", &WrappedDevice::compile),
                                                      WrappedDevice::InstanceMethod("cacheCounts", &WrappedDevice::cache_counts),
                                                      WrappedDevice::InstanceMethod("forceLoss", &WrappedDevice::force_loss),
                                                      WrappedDevice::InstanceMethod("destroy", &WrappedDevice::destroy)});
  Napi::Function buffer = WrappedBuffer::DefineClass(env, "NativeBuffer", {WrappedBuffer::InstanceMethod("destroy", &WrappedBuffer::destroy)});
  Napi::Function plan = WrappedPlan::DefineClass(env, "NativePlan", {WrappedPlan::InstanceMethod("destroy", &WrappedPlan::destroy)});
  plan.Get("prototype").As<Napi::Object>().Set("run", Napi::Function::New(env, run, "run"));
  data->device_class = Napi::Persistent(device);
  data->buffer_class = Napi::Persistent(buffer);
  data->plan_class = Napi::Persistent(plan);
  exports.Set("threadTimeNs", Napi::Function::New(env, thread_time, "threadTimeNs"));
  exports.Set("takeVulkanDevices", Napi::Function::New(env, take_devices, "takeVulkanDevices"));
  exports.Set("load", Napi::Function::New(env, load, "load"));
  exports.Set("openDevice", Napi::Function::New(env, [](const Napi::CallbackInfo& info) { return open(info, false); }, "openDevice"));
  exports.Set("describeAdapter", Napi::Function::New(env, [](const Napi::CallbackInfo& info) { return open(info, true); }, "describeAdapter"));
  return exports;
}

NODE_API_MODULE(synglot_native, init)

}  // namespace
}  // namespace synglot
