// Settings: config objects and secrets of a live node. Seals and opens secrets, makes of both what
// pods are given, and tells which functions a change concerns. Owned by the node, on the loop's
// thread. Plaintext is in locked memory only.
//
// The key is made by the first secret that is set. While secrets cannot be opened (the key is
// missing, or another one) functions that list none are served all the same.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/api/settings_plane.h"
#include "deploy/manifest/function.pb.h"
#include "deploy/store/key_ring.h"
#include "deploy/store/settings_store.h"
#include "runtime/pods/grants.h"

namespace subito::node {

// Of all values and files that one pod is given.
inline constexpr std::size_t kGrantedBytesMax = 8 << 20;

class Granted;

struct SecretKeySource {
  std::string file;  // made when it is needed and there is neither it nor a secret
  int fd = -1;       // in place of the file; -1: none
};

class Settings final : public api::SettingsPlane {
 public:
  // Who lists the object: names of functions.
  using Users = std::function<std::vector<std::string>(const store::ObjectId& id)>;
  // Ok, or that there is no such namespace.
  using Namespaces = std::function<Status(std::string_view name)>;
  // It changed; these functions list it.
  using Changed =
      std::function<void(const store::ObjectId& id, const std::vector<std::string>& users)>;

  Settings(store::SettingsStore& objects, SecretKeySource source);
  void set_users(Users users) { users_ = std::move(users); }
  void set_namespaces(Namespaces namespaces) { namespaces_ = std::move(namespaces); }
  void set_on_changed(Changed changed) { changed_ = std::move(changed); }

  // Why secrets are out of service; empty: they are not.
  const std::string& fault() const { return fault_; }

  // What the manifest lists. Null: it lists nothing. The error names the field, and what to do.
  Result<pods::GrantsPtr> grants_for(const manifest::Function& function);

  Result<std::vector<api::ObjectView>> list(api::ObjectKind kind,
                                            std::string_view name_space) override;
  Result<api::ObjectView> get(api::ObjectKind kind, std::string_view name) override;
  Status change_config(std::string_view name, const api::ConfigChange& change) override;
  Status set_secret(std::string_view name, std::string_view key, std::string_view value) override;
  Status remove(api::ObjectKind kind, std::string_view name, bool force) override;
  Status remove_secret_key(std::string_view name, std::string_view key) override;
  Result<std::string> rotate_key() override;

 private:
  void load_key();
  std::string unknown_seal();
  Status grant(const store::ObjectId& id, const manifest::GivenObject& given,
               Granted& granted) const;
  Status may_have_values(const store::ObjectId& id) const;
  Status need_key();
  Result<LockedBytes> open(const store::ObjectId& id, const std::string& key,
                           const store::StoredValue& value) const;
  void changed(const store::ObjectId& id);

  store::SettingsStore& objects_;
  SecretKeySource source_;
  Users users_;
  Namespaces namespaces_;
  Changed changed_;
  std::optional<store::KeyRing> keys_;
  std::string fault_;
};

// True when the manifest lists the object.
bool lists(const manifest::Function& function, const store::ObjectId& id);

}  // namespace subito::node
