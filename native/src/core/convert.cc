// Field-by-field conversion at the N-API border.
#include "convert.h"

#include <array>
#include <cmath>

namespace synglot {
namespace {

// What says which devices the Vulkan loader finds; `packages/gpu/src/node` sets them.
constexpr std::array kLoaderVariables = {"VK_DRIVER_FILES", "VK_ICD_FILENAMES", "VK_INSTANCE_LAYERS", "VK_LAYER_PATH", "SYNGLOT_VULKAN_DEVICE"};

const char* type_of(const Napi::Value& value) {
  switch (value.Type()) {
    case napi_undefined: return "undefined";
    case napi_null: return "null";
    case napi_boolean: return "boolean";
    case napi_number: return "number";
    case napi_string: return "string";
    case napi_object: return "object";
    case napi_function: return "function";
    default: return "another type";
  }
}

Napi::TypeError expected(const Napi::Value& value, const char* what, const char* name) {
  return Napi::TypeError::New(value.Env(), std::string("Expected ") + what + " for `" + name + "` but received " + type_of(value));
}

Napi::Object to_object(const Napi::Value& value, const char* name) {
  if (!value.IsObject()) throw expected(value, "an object", name);
  return value.As<Napi::Object>();
}

Napi::Array to_array(const Napi::Value& value, const char* name) {
  if (!value.IsArray()) throw expected(value, "an array", name);
  return value.As<Napi::Array>();
}

bool to_bool(const Napi::Value& value, const char* name) {
  if (!value.IsBoolean()) throw expected(value, "a boolean", name);
  return value.As<Napi::Boolean>().Value();
}

uint32_t to_index(const Napi::Value& value, const char* name) {
  const uint64_t size = to_size(value, name);
  if (size > UINT32_MAX) throw Napi::RangeError::New(value.Env(), std::string("`") + name + "` is out of range");
  return static_cast<uint32_t>(size);
}

template <typename Convert>
auto to_vector(const Napi::Value& value, const char* name, Convert convert) {
  const Napi::Array array = to_array(value, name);
  std::vector<decltype(convert(array.Get(0U)))> result;
  const uint32_t length = array.Length();
  result.reserve(length);
  for (uint32_t i = 0; i < length; ++i) {
    const Napi::HandleScope scope(value.Env());
    result.push_back(convert(array.Get(i)));
  }
  return result;
}

PlanKernel to_kernel(const Napi::Value& value) {
  const Napi::Object object = to_object(value, "kernels[]");
  PlanKernel kernel;
  kernel.label = to_string(object.Get("label"), "kernel.label");
  kernel.code = to_string(object.Get("code"), "kernel.code");
  const auto access = to_vector(object.Get("access"), "kernel.access", [](const Napi::Value& mode) { return to_string(mode, "kernel.access[]"); });
  for (const std::string& mode : access) kernel.writes.push_back(mode == "read_write");
  kernel.params_size_bytes = to_index(object.Get("paramsSizeBytes"), "kernel.paramsSizeBytes");
  kernel.uses_step = to_bool(object.Get("usesStep"), "kernel.usesStep");
  return kernel;
}

PlanBuffer to_buffer(const Napi::Value& value) {
  const Napi::Object object = to_object(value, "buffers[]");
  PlanBuffer buffer;
  buffer.name = to_string(object.Get("name"), "buffer.name");
  buffer.size_bytes = to_size(object.Get("sizeBytes"), "buffer.sizeBytes");
  buffer.external = to_string(object.Get("role"), "buffer.role") == "external";
  const Napi::Value within = object.Get("within");
  buffer.view = buffer.external && !within.IsUndefined();
  if (buffer.view) buffer.offset_bytes = to_size(to_object(within, "buffer.within").Get("offsetBytes"), "buffer.within.offsetBytes");
  return buffer;
}

Dispatch to_dispatch(const Napi::Object& object) {
  Dispatch dispatch;
  dispatch.kernel = to_index(object.Get("kernel"), "dispatch.kernel");
  dispatch.buffers = to_vector(object.Get("buffers"), "dispatch.buffers", [](const Napi::Value& index) { return to_index(index, "dispatch.buffers[]"); });
  const ByteView params = to_bytes(object.Get("params"), "dispatch.params");
  dispatch.params.assign(params.data, params.data + params.size);
  const Napi::Array workgroups = to_array(object.Get("workgroups"), "dispatch.workgroups");
  for (uint32_t axis = 0; axis < 3; ++axis) dispatch.workgroups[axis] = to_index(workgroups.Get(axis), "dispatch.workgroups[]");
  dispatch.label = to_string(object.Get("label"), "dispatch.label");
  return dispatch;
}

Command to_command(const Napi::Value& value) {
  const Napi::Object object = to_object(value, "commands[]");
  const std::string kind = to_string(object.Get("kind"), "command.kind");
  if (kind == "dispatch") return to_dispatch(object);
  if (kind == "copy") {
    return Copy{to_index(object.Get("source"), "copy.source"), to_size(object.Get("sourceOffsetBytes"), "copy.sourceOffsetBytes"),
                to_index(object.Get("destination"), "copy.destination"),
                to_size(object.Get("destinationOffsetBytes"), "copy.destinationOffsetBytes"), to_size(object.Get("sizeBytes"), "copy.sizeBytes")};
  }
  if (kind == "clear") {
    return Clear{to_index(object.Get("buffer"), "clear.buffer"), to_size(object.Get("offsetBytes"), "clear.offsetBytes"),
                 to_size(object.Get("sizeBytes"), "clear.sizeBytes")};
  }
  throw Napi::TypeError::New(value.Env(), "Expected dispatch, copy or clear for `command.kind` but received '" + kind + "'");
}

}  // namespace

std::string to_string(const Napi::Value& value, const char* name) {
  if (!value.IsString()) throw expected(value, "a string", name);
  return value.As<Napi::String>().Utf8Value();
}

uint64_t to_size(const Napi::Value& value, const char* name) {
  if (!value.IsNumber()) throw expected(value, "a number", name);
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= 0 && number <= 9007199254740992.0) || number != std::floor(number)) {
    throw Napi::RangeError::New(value.Env(), std::string("Expected an integer of at least 0 for `") + name + "` but received " + std::to_string(number));
  }
  return static_cast<uint64_t>(number);
}

ByteView to_bytes(const Napi::Value& value, const char* name) {
  if (value.IsTypedArray()) {
    const auto array = value.As<Napi::TypedArray>();
    return {static_cast<const uint8_t*>(array.ArrayBuffer().Data()) + array.ByteOffset(), array.ByteLength()};
  }
  if (value.IsDataView()) {
    const auto array = value.As<Napi::DataView>();
    return {static_cast<const uint8_t*>(array.ArrayBuffer().Data()) + array.ByteOffset(), array.ByteLength()};
  }
  throw expected(value, "a typed array or a DataView", name);
}

OpenOptions to_open_options(const Napi::Value& value) {
  const Napi::Object object = to_object(value, "options");
  const auto strings = [&](const char* name) {
    return to_vector(object.Get(name), name, [&](const Napi::Value& item) { return to_string(item, name); });
  };
  OpenOptions options;
  options.cache_directory = to_string(object.Get("cacheDir"), "cacheDir");
  options.enabled_toggles = strings("enabledToggles");
  options.disabled_toggles = strings("disabledToggles");
  options.timeout_ms = to_size(object.Get("timeoutMs"), "timeoutMs");
  const auto variables = to_object(to_object(value.Env().Global().Get("process"), "process").Get("env"), "process.env");
  for (const char* name : kLoaderVariables) {
    const Napi::Value set = variables.Get(name);
    options.environment.emplace_back(name, set.IsString() ? std::optional(to_string(set, name)) : std::nullopt);
  }
  return options;
}

Plan to_plan(const Napi::Value& value) {
  const Napi::Object object = to_object(value, "plan");
  Plan plan;
  plan.label = to_string(object.Get("label"), "plan.label");
  plan.kernels = to_vector(object.Get("kernels"), "plan.kernels", to_kernel);
  plan.buffers = to_vector(object.Get("buffers"), "plan.buffers", to_buffer);
  plan.commands = to_vector(object.Get("commands"), "plan.commands", to_command);
  const Napi::Value step = object.Get("stepBuffer");
  if (!step.IsNumber()) throw expected(step, "a number", "plan.stepBuffer");
  plan.step_buffer = std::max<int64_t>(-1, step.As<Napi::Number>().Int64Value());
  return plan;
}

Napi::Object from_description(Napi::Env env, const DeviceDescription& description) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("name", description.name);
  object.Set("vendor", description.vendor);
  object.Set("architecture", description.architecture);
  object.Set("driver", description.driver);
  object.Set("type", description.type);
  Napi::Array features = Napi::Array::New(env);
  for (const std::string& feature : description.features) features.Set(features.Length(), Napi::String::New(env, feature));
  object.Set("features", features);
  Napi::Object limits = Napi::Object::New(env);
  for (const auto& [name, limit] : description.limits) limits.Set(name, Napi::Number::New(env, limit));
  object.Set("limits", limits);
  object.Set("subgroupMinSize", description.subgroup_min_size);
  object.Set("subgroupMaxSize", description.subgroup_max_size);
  Napi::Array configs = Napi::Array::New(env);
  for (const MatrixConfig& config : description.matrix_configs) {
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("component", config.component_type);
    entry.Set("result", config.result_type);
    entry.Set("M", config.m);
    entry.Set("N", config.n);
    entry.Set("K", config.k);
    configs.Set(configs.Length(), entry);
  }
  object.Set("subgroupMatrixConfigs", configs);
  return object;
}

Napi::Value from_bytes(Napi::Env env, Bytes bytes) {
  if (bytes.empty()) return Napi::ArrayBuffer::New(env, 0);
  auto owned = std::make_unique<Bytes>(std::move(bytes));
  Bytes* raw = owned.get();
  Napi::ArrayBuffer result = Napi::ArrayBuffer::New(env, raw->data(), raw->size(), [](Napi::Env, void*, Bytes* kept) { delete kept; }, raw);
  owned.release();
  return result;
}

}  // namespace synglot
