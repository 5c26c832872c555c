// KeyRing: what secrets are sealed with, and the file it is kept in, outside the data folder. Owned
// by the node, on its control loop's thread; the keys are in locked memory.
//
// XChaCha20-Poly1305 of libsodium. Bound to each value is where it belongs (namespace, secret,
// key), so that rows cannot be swapped. The file has a key a line, 64 hexadecimal digits; the first
// one seals. There are two only while the key is being changed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/secret_memory.h"

namespace subito::store {

inline constexpr std::size_t kKeysOfRingMax = 8;
inline constexpr std::size_t kSealBytes = 24 + 16;  // what sealing adds: nonce and tag

struct Sealed {
  std::string bytes;
  std::string key_id;
};

class KeyRing {
 public:
  static KeyRing make();                                // one new key
  static Result<KeyRing> parse(std::string_view text);  // kInvalidArgument
  // kNotFound; kPermissionDenied when others than its owner may read it.
  static Result<KeyRing> load(const std::string& file);
  // From a descriptor, up to its end; it is closed.
  static Result<KeyRing> read(int fd);
  // Mode 0400, synced; its folder is made if need be. kAlreadyExists unless `replace`.
  Status save(const std::string& file, bool replace) const;

  // Of the key that seals: 16 hexadecimal digits that tell nothing of it.
  const std::string& id() const { return keys_.front().id; }
  bool knows(std::string_view key_id) const { return find(key_id) != nullptr; }
  std::size_t size() const { return keys_.size(); }
  // A new key in front of those that there are.
  void add_new();
  void keep_first() { keys_.resize(1); }

  Sealed seal(std::string_view plain, std::string_view place) const;
  // kNotFound: sealed with another key; kInvalidArgument: it is not what was sealed, or not there.
  Result<LockedBytes> open(const Sealed& sealed, std::string_view place) const;

 private:
  struct Key {
    LockedBytes bytes;
    std::string id;
  };
  const Key* find(std::string_view key_id) const;
  static Key key_of(LockedBytes bytes);

  std::vector<Key> keys_;
};

}  // namespace subito::store
