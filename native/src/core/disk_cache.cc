// File format: magic, u64 key size, key, value. The whole key is compared, so two keys whose hashes,
// and so file names, are equal cost a miss and never give a wrong pipeline.
#include "disk_cache.h"

#include <array>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <random>
#include <vector>

namespace synglot {
namespace {

constexpr std::array<char, 8> kMagic = {'S', 'Y', 'N', 'P', 'I', 'P', 'E', '1'};

uint64_t fnv1a(const uint8_t* bytes, size_t size, uint64_t hash) {
  for (size_t i = 0; i < size; ++i) hash = (hash ^ bytes[i]) * 0x100000001b3ULL;
  return hash;
}

}  // namespace

DiskCache::DiskCache(std::string directory) : directory_(std::move(directory)) {
  if (directory_.empty()) return;
  std::error_code error;
  std::filesystem::create_directories(directory_, error);
  if (error) directory_.clear();
}

std::filesystem::path DiskCache::path_of(const uint8_t* key, size_t key_size) const {
  char name[40];
  const auto first = static_cast<unsigned long long>(fnv1a(key, key_size, 0xcbf29ce484222325ULL));
  const auto second = static_cast<unsigned long long>(fnv1a(key, key_size, 0x84222325cbf29ce4ULL));
  std::snprintf(name, sizeof name, "%016llx%016llx.bin", first, second);
  return directory_ / name;
}

size_t DiskCache::load(const uint8_t* key, size_t key_size, uint8_t* value, size_t value_size) noexcept {
  if (!enabled()) return 0;
  try {
    std::ifstream file(path_of(key, key_size), std::ios::binary | std::ios::ate);
    const std::streamoff length = file ? static_cast<std::streamoff>(file.tellg()) : 0;
    const size_t header = kMagic.size() + sizeof(uint64_t) + key_size;
    if (length <= static_cast<std::streamoff>(header)) {
      ++misses_;
      return 0;
    }
    std::vector<uint8_t> head(header);
    file.seekg(0);
    file.read(reinterpret_cast<char*>(head.data()), static_cast<std::streamsize>(header));
    uint64_t stored_key_size = 0;
    std::memcpy(&stored_key_size, head.data() + kMagic.size(), sizeof stored_key_size);
    const bool same = file && std::memcmp(head.data(), kMagic.data(), kMagic.size()) == 0 && stored_key_size == key_size &&
                      std::memcmp(head.data() + kMagic.size() + sizeof stored_key_size, key, key_size) == 0;
    if (!same) {
      ++misses_;
      return 0;
    }
    const size_t size = static_cast<size_t>(length) - header;
    if (value == nullptr || value_size < size) return size;  // Dawn asks for the size first.
    file.read(reinterpret_cast<char*>(value), static_cast<std::streamsize>(size));
    if (!file) return 0;
    ++hits_;
    return size;
  } catch (...) {
    return 0;
  }
}

void DiskCache::store(const uint8_t* key, size_t key_size, const uint8_t* value, size_t value_size) noexcept {
  if (!enabled()) return;
  try {
    const std::filesystem::path target = path_of(key, key_size);
    std::filesystem::path temporary = target;
    temporary += std::to_string(std::random_device{}()) + ".tmp";
    std::error_code error;
    {
      std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
      const uint64_t stored_key_size = key_size;
      file.write(kMagic.data(), kMagic.size());
      file.write(reinterpret_cast<const char*>(&stored_key_size), sizeof stored_key_size);
      file.write(reinterpret_cast<const char*>(key), static_cast<std::streamsize>(key_size));
      file.write(reinterpret_cast<const char*>(value), static_cast<std::streamsize>(value_size));
      file.close();
      if (!file) {
        std::filesystem::remove(temporary, error);
        return;
      }
    }
    std::filesystem::rename(temporary, target, error);
    if (error) {
      std::filesystem::remove(temporary, error);
      return;
    }
    ++stores_;
  } catch (...) {
    // A cache that cannot be written is a slow start, not an error.
  }
}

}  // namespace synglot
