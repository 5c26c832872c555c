// FakeSettings: a SettingsPlane made of plain maps, part of FakePlane.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "deploy/api/settings_plane.h"
#include "deploy/manifest/qualified_name.h"

namespace subito::api {

class FakeSettings final : public SettingsPlane {
 public:
  using Key = std::pair<ObjectKind, std::string>;  // kind and qualified name
  struct Object {
    std::map<std::string, std::string> values;
    std::vector<std::string> used_by;
  };
  std::map<Key, Object> objects;
  std::optional<Error> next_failure;
  // Ok, or that there is no such namespace.
  std::function<Status(std::string_view name)> namespaces = [](std::string_view) { return ok(); };

  Result<std::vector<ObjectView>> list(ObjectKind kind, std::string_view name_space) override {
    if (next_failure) return *std::exchange(next_failure, {});
    if (!name_space.empty()) RETURN_IF_ERROR(namespaces(name_space));
    std::vector<ObjectView> views;
    for (const auto& [key, object] : objects) {
      const auto parts = manifest::split_qualified(key.second);
      if (key.first != kind || (!name_space.empty() && parts.name_space != name_space)) continue;
      views.push_back(*get(kind, key.second));
    }
    return views;
  }
  Result<ObjectView> get(ObjectKind kind, std::string_view name) override {
    if (next_failure) return *std::exchange(next_failure, {});
    const auto at = objects.find({kind, std::string(name)});
    const auto parts = manifest::split_qualified(name);
    ObjectView view;
    view.record.id = {kind, parts.name_space, parts.name};
    if (at == objects.end()) return none(view.record.id).value();
    constexpr std::int64_t kNow = 1'795'471'445'123'000'000;
    view.record.created_unix_ns = view.record.changed_unix_ns = kNow;
    for (const auto& [key, value] : at->second.values) {
      view.record.keys.push_back({key, value.size(), kNow});
      if (kind == ObjectKind::kConfig) view.data[key] = value;
    }
    view.used_by = at->second.used_by;
    return view;
  }
  Status change_config(std::string_view name, const ConfigChange& change) override {
    if (next_failure) return *std::exchange(next_failure, {});
    RETURN_IF_ERROR(namespaces(manifest::split_qualified(name).name_space));
    auto& values = objects[{ObjectKind::kConfig, std::string(name)}].values;
    for (const auto& [key, value] : change.set) values[key] = value;
    for (const std::string& key : change.unset) values.erase(key);
    return ok();
  }
  Status set_secret(std::string_view name, std::string_view key, std::string_view value) override {
    if (next_failure) return *std::exchange(next_failure, {});
    RETURN_IF_ERROR(namespaces(manifest::split_qualified(name).name_space));
    objects[{ObjectKind::kSecret, std::string(name)}].values[std::string(key)] = value;
    return ok();
  }
  Status remove(ObjectKind kind, std::string_view name, bool force) override {
    if (next_failure) return *std::exchange(next_failure, {});
    const auto parts = manifest::split_qualified(name);
    const auto at = objects.find({kind, std::string(name)});
    if (at == objects.end()) return none({kind, parts.name_space, parts.name});
    if (!force && !at->second.used_by.empty())
      return fail(ErrorCode::kFailedPrecondition, "delete secret: it is in use");
    objects.erase(at);
    return ok();
  }
  Status remove_secret_key(std::string_view name, std::string_view key) override {
    const auto at = objects.find({ObjectKind::kSecret, std::string(name)});
    if (at == objects.end() || at->second.values.erase(std::string(key)) == 0)
      return none({ObjectKind::kSecret, manifest::kNamespace, std::string(name)});
    return ok();
  }
  Result<std::string> rotate_key() override {
    if (next_failure) return *std::exchange(next_failure, {});
    return std::string("2 values are sealed with key 0123456789abcdef");
  }

  store::ObjectCounts counts(std::string_view name_space) const {
    store::ObjectCounts found;
    for (const auto& [key, object] : objects) {
      if (manifest::split_qualified(key.second).name_space != name_space) continue;
      ++(key.first == ObjectKind::kConfig ? found.configs : found.secrets);
    }
    return found;
  }

 private:
  static tl::unexpected<Error> none(const store::ObjectId& id) {
    return fail(ErrorCode::kNotFound, "find " + words(id) + ": there is none");
  }
};

}  // namespace subito::api
