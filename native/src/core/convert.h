// JavaScript values to the core's structs and back. Refuses a value of the wrong type by its field's name.
#pragma once

#include <napi.h>

#include "device.h"

namespace synglot {

/** Throws a TypeError that names the field, what was expected and what was received. */
OpenOptions to_open_options(const Napi::Value& value);
Plan to_plan(const Napi::Value& value);

std::string to_string(const Napi::Value& value, const char* name);
/** An integer from 0 to 2^53. */
uint64_t to_size(const Napi::Value& value, const char* name);

struct ByteView {
  const uint8_t* data = nullptr;
  size_t size = 0;
};
/** The bytes of a typed array or DataView; valid until JavaScript runs again. */
ByteView to_bytes(const Napi::Value& value, const char* name);

Napi::Object from_description(Napi::Env env, const DeviceDescription& description);
/** Moves the bytes into an ArrayBuffer without copying them. */
Napi::Value from_bytes(Napi::Env env, Bytes bytes);

}  // namespace synglot
