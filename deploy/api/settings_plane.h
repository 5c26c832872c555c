// SettingsPlane: what the control API asks of a node about config objects and secrets. Part of the
// ControlPlane; on the same thread, every call is answered at once.
//
// Objects are named as functions are: NAME, or NAME.NAMESPACE outside of `default`. What changes
// one reaches the functions that list it by new pods; the change is kept before the call returns.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/store/settings_store.h"
#include "runtime/base/result.h"

namespace subito::api {

using store::ObjectKind;

struct ObjectView {
  store::ObjectRecord record;
  std::vector<std::string> used_by;  // functions, by name
  // Of a config object, by key; a secret's are never told.
  std::map<std::string, std::string> data;
};

struct ConfigChange {
  std::map<std::string, std::string> set;
  std::vector<std::string> unset;
};

class SettingsPlane {
 public:
  virtual ~SettingsPlane() = default;

  // `name_space` empty: of all. Without data. kNotFound: there is no such namespace.
  virtual Result<std::vector<ObjectView>> list(ObjectKind kind, std::string_view name_space) = 0;
  virtual Result<ObjectView> get(ObjectKind kind, std::string_view name) = 0;  // kNotFound
  // Makes it if it is not there. kInvalidArgument: a name or key that is none; kNotFound: a key to
  // unset, or its namespace; kResourceExhausted: a limit is reached.
  virtual Status change_config(std::string_view name, const ConfigChange& change) = 0;
  // `value` is the caller's to wipe. kNotFound: its namespace; kFailedPrecondition: secrets are out
  // of service.
  virtual Status set_secret(std::string_view name, std::string_view key,
                            std::string_view value) = 0;
  // kNotFound; kFailedPrecondition: functions list it, and `force` is not said.
  virtual Status remove(ObjectKind kind, std::string_view name, bool force) = 0;
  virtual Status remove_secret_key(std::string_view name, std::string_view key) = 0;
  // All secrets are sealed anew with a new key. The words say which, and where it is.
  virtual Result<std::string> rotate_key() = 0;
};

}  // namespace subito::api
