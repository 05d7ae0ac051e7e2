// A buffer that TypeScript asked for; its device handle lives on the device's thread.
#pragma once

#include <cstdint>
#include <string>

#include "handles.h"

namespace synglot {

struct Buffer {
  std::string label;
  uint64_t size_bytes = 0;
  /** Null until the device's thread has made it. After `destroy` it stays, so that Dawn reports uses. */
  BufferHandle handle;
  /** Why it could not be made; every later use reports it. */
  MaybeFailure failure;
};

}  // namespace synglot
