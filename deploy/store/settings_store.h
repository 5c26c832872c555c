// SettingsStore: config objects and secrets on disk, in the store's database: named objects of a
// namespace with values by key. Of secrets it has what a KeyRing sealed and nothing else. Owned by
// the node, on its control loop's thread; synchronous.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/store/key_ring.h"
#include "deploy/store/sqlite.h"
#include "runtime/base/result.h"

namespace subito::store {

inline constexpr std::size_t kObjectBytesMax = 1 << 20;  // of one object's values together
inline constexpr int kObjectKeysMax = 256;
inline constexpr int kObjectsMax = 1000;  // of one kind in one namespace

enum class ObjectKind : std::uint8_t { kConfig, kSecret };
std::string_view to_string(ObjectKind kind);  // "config", "secret"

struct ObjectId {
  ObjectKind kind = ObjectKind::kConfig;
  std::string name_space;
  std::string name;
};
// "config shop-settings", "secret payment-key of namespace tests".
std::string words(const ObjectId& id);

struct KeyRecord {
  std::string key;
  std::uint64_t bytes = 0;  // of the value itself
  std::int64_t changed_unix_ns = 0;
};

struct ObjectRecord {
  ObjectId id;
  std::int64_t created_unix_ns = 0;
  std::int64_t changed_unix_ns = 0;
  std::vector<KeyRecord> keys;  // by name
};

// How many objects a namespace has.
struct ObjectCounts {
  std::uint32_t configs = 0;
  std::uint32_t secrets = 0;
};

struct StoredValue {
  std::string bytes;       // of config the value, of a secret what was sealed
  std::string key_id;      // of a secret
  std::uint64_t size = 0;  // of the value itself
};
using StoredValues = std::map<std::string, StoredValue, std::less<>>;

class SettingsStore {
 public:
  explicit SettingsStore(Database& database) : database_(database) {}

  // By name; `name_space` empty: of all.
  Result<std::vector<ObjectRecord>> list(ObjectKind kind, std::string_view name_space);
  // By namespace; one that has none is not among them.
  Result<std::map<std::string, ObjectCounts>> counts();
  Result<ObjectRecord> find(const ObjectId& id);    // kNotFound
  Result<StoredValues> values(const ObjectId& id);  // kNotFound
  // All or nothing; makes the object if it is not there. kResourceExhausted: a limit is reached;
  // kNotFound: a key to unset is not there.
  Status change(const ObjectId& id, const StoredValues& set, const std::vector<std::string>& unset);
  Status remove(const ObjectId& id);  // kNotFound

  Result<bool> has_secrets();
  // Replaces every sealed value, all or nothing.
  using Reseal = std::function<Result<StoredValue>(const ObjectId& id, const std::string& key,
                                                   const StoredValue& value)>;
  Status reseal(const Reseal& reseal);

 private:
  Status make(const ObjectId& id, std::int64_t now);
  Status check_limits(const ObjectId& id);
  Result<std::vector<KeyRecord>> keys_of(const ObjectId& id);

  Database& database_;
};

}  // namespace subito::store
