// Loads the Dawn library and checks that it is the one that webgpu.h describes.
#include "dawn_api.h"

#include <mutex>

#include "handles.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif
#ifdef __linux__
#include <malloc.h>
#endif

namespace synglot {
namespace {

DawnApi table;
std::string loaded_path;
std::mutex load_mutex;

#ifdef _WIN32
void* open_library(const std::string& path, std::string& error) {
  HMODULE library = LoadLibraryA(path.c_str());
  if (library == nullptr) error = "LoadLibrary failed with error " + std::to_string(GetLastError());
  return library;
}
void* find_symbol(void* library, const char* name) {
  return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(library), name));
}
#else
void* open_library(const std::string& path, std::string& error) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = dlerror();
    error = reason != nullptr ? reason : "dlopen failed";
  }
  return library;
}
void* find_symbol(void* library, const char* name) { return dlsym(library, name); }
#endif

Failure mismatch(const std::string& path, const std::string& what) {
  return {code::kUnavailable, "the library " + path + " does not agree with the webgpu.h that synglot was compiled with: " + what};
}

// Chained structs are numbered differently in another version's header, and then no instance with
// toggles and timed waits can be made.
MaybeFailure probe_instance(const DawnApi& api, const std::string& path) {
  if (api.HasInstanceFeature(WGPUInstanceFeatureName_TimedWaitAny) == WGPU_FALSE) {
    return mismatch(path, "it lacks the instance feature TimedWaitAny");
  }
  const char* toggles[] = {"allow_unsafe_apis"};
  WGPUDawnTogglesDescriptor chained = WGPU_DAWN_TOGGLES_DESCRIPTOR_INIT;
  chained.enabledToggleCount = 1;
  chained.enabledToggles = toggles;
  const WGPUInstanceFeatureName features[] = {WGPUInstanceFeatureName_TimedWaitAny};
  WGPUInstanceDescriptor descriptor = WGPU_INSTANCE_DESCRIPTOR_INIT;
  descriptor.nextInChain = &chained.chain;
  descriptor.requiredFeatureCount = 1;
  descriptor.requiredFeatures = features;
  WGPUInstance instance = api.CreateInstance(&descriptor);
  if (instance == nullptr) return mismatch(path, "it refuses an instance with toggles");
  api.InstanceRelease(instance);
  return std::nullopt;
}

/**
 * A submission makes Dawn free many small blocks. glibc keeps them in lists, which the next large allocation walks
 * whole (malloc_consolidate). Without the lists, each is merged with its neighbours when it is freed.
 */
void tune_allocator() {
#ifdef __GLIBC__
  mallopt(M_MXFAST, 0);
#endif
}

}  // namespace

const DawnApi& dawn() { return table; }

MaybeFailure load_dawn(const std::string& path) {
  const std::lock_guard lock(load_mutex);
  if (!loaded_path.empty()) {
    if (loaded_path == path) return std::nullopt;
    return Failure{code::kUnavailable, "this process already uses " + loaded_path + " and cannot load " + path};
  }
  std::string error;
  void* library = open_library(path, error);
  if (library == nullptr) return Failure{code::kUnavailable, "cannot load Dawn from " + path + ": " + error};

  DawnApi candidate;
  std::string missing;
#define SYNGLOT_RESOLVE(name)                                                                \
  candidate.name = reinterpret_cast<WGPUProc##name>(find_symbol(library, "wgpu" #name));     \
  if (candidate.name == nullptr) missing += (missing.empty() ? "wgpu" : ", wgpu") + std::string(#name);
  SYNGLOT_WGPU_FUNCTIONS(SYNGLOT_RESOLVE)
#undef SYNGLOT_RESOLVE
  if (!missing.empty()) return mismatch(path, "it does not export " + missing);
  if (MaybeFailure failure = probe_instance(candidate, path)) return failure;
  table = candidate;
  loaded_path = path;
  tune_allocator();
  return std::nullopt;
}

}  // namespace synglot
