#include "runtime/node/settings.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "deploy/manifest/defaults.h"
#include "deploy/manifest/qualified_name.h"
#include "deploy/manifest/rules.h"
#include "runtime/node/granted.h"

namespace subito::node {
namespace {

using api::ObjectKind;
using manifest::GivenObject;
using store::ObjectId;
using store::StoredValue;

// What a sealed value is bound to. Names have no '/', keys neither.
std::string place_of(const ObjectId& id, std::string_view key) {
  return "subito-secret/" + id.name_space + "/" + id.name + "/" + std::string(key);
}

ObjectId id_of(ObjectKind kind, std::string_view qualified) {
  auto [name, name_space] = manifest::split_qualified(qualified);
  return {kind, std::move(name_space), std::move(name)};
}

Status check_id(const ObjectId& id) {
  for (const std::string& part : {id.name, id.name_space}) {
    if (const auto wrong = manifest::check_name(part))
      return fail(ErrorCode::kInvalidArgument,
                  "name " + std::string(to_string(id.kind)) + ": " + *wrong);
  }
  return ok();
}

Status check_key(const ObjectId& id, std::string_view key) {
  if (manifest::is_key(key)) return ok();
  return fail(
      ErrorCode::kInvalidArgument,
      "change " + words(id) + ": a key has letters, digits, '_', '-' and '.', at most 128 of them");
}

// What makes a thing that there is not.
std::string how_to_make(const ObjectId& id, const std::string& key) {
  const std::string name = manifest::qualified_name(id.name, id.name_space);
  if (id.kind == ObjectKind::kConfig)
    return "; `subito config set " + name + " " + (key.empty() ? "KEY" : key) + "=VALUE` makes it";
  return "; `subito secret set " + name +
         (key.empty() || key == manifest::kValueKey ? "" : " " + key) + "` makes it";
}

std::string names_in_row(const std::vector<std::string>& names) {
  std::string row;
  for (const std::string& name : names) row += (row.empty() ? "" : ", ") + name;
  return row;
}

}  // namespace

bool lists(const manifest::Function& function, const ObjectId& id) {
  const std::string& own = function.metadata().namespace_();
  if ((own.empty() ? manifest::kNamespace : own) != id.name_space) return false;
  const auto& list =
      id.kind == ObjectKind::kConfig ? function.spec().config() : function.spec().secrets();
  return std::any_of(list.begin(), list.end(),
                     [&](const GivenObject& given) { return given.name() == id.name; });
}

Settings::Settings(store::SettingsStore& objects, SecretKeySource source)
    : objects_(objects), source_(std::move(source)) {
  load_key();
}

// Never makes one: a new key in place of a lost one would hide that secrets are lost.
void Settings::load_key() {
  const bool by_fd = source_.fd >= 0;
  auto ring = by_fd ? store::KeyRing::read(source_.fd) : store::KeyRing::load(source_.file);
  if (ring) {
    keys_ = *std::move(ring);
    fault_ = unknown_seal();
  } else {
    const auto secrets = objects_.has_secrets();
    const bool none_yet = !by_fd && ring.error().code == ErrorCode::kNotFound;
    if (none_yet && secrets && !*secrets) return;
    fault_ = ring.error().message + "; say where the key is: subito up --secret-key FILE";
  }
  if (fault_.empty()) return;
  fault_ = "secrets cannot be opened: " + fault_;
  spdlog::error("{}; functions that list secrets are out of service", fault_);
}

// What was sealed with a key that is not there; empty: nothing. While the key is being changed the
// file has both.
std::string Settings::unknown_seal() {
  const auto all = objects_.list(ObjectKind::kSecret, "");
  if (!all) return all.error().message;
  for (const store::ObjectRecord& record : *all) {
    const auto values = objects_.values(record.id);
    if (!values) return values.error().message;
    for (const auto& [key, value] : *values) {
      if (keys_->knows(value.key_id)) continue;
      return words(record.id) + " was sealed with key " + value.key_id + ", and " +
             (source_.fd >= 0 ? "the key that was given" : source_.file) + " is " + keys_->id() +
             "; say where that key is: subito up --secret-key FILE";
    }
  }
  return {};
}

Status Settings::need_key() {
  if (!fault_.empty()) return fail(ErrorCode::kFailedPrecondition, fault_);
  if (keys_) return ok();
  store::KeyRing ring = store::KeyRing::make();
  RETURN_IF_ERROR(ring.save(source_.file, false));
  keys_ = std::move(ring);
  spdlog::info("secrets are sealed with key {} in {}: keep a copy of it elsewhere", keys_->id(),
               source_.file);
  return ok();
}

Result<LockedBytes> Settings::open(const ObjectId& id, const std::string& key,
                                   const StoredValue& value) const {
  if (id.kind == ObjectKind::kConfig) return LockedBytes::copy_of(value.bytes);
  if (!fault_.empty() || !keys_)
    return fail(ErrorCode::kFailedPrecondition, fault_.empty() ? "there is no key" : fault_);
  auto plain = keys_->open({value.bytes, value.key_id}, place_of(id, key));
  if (!plain) return std::move(plain).error().annotate(words(id));
  return plain;
}

Status Settings::grant(const ObjectId& id, const GivenObject& given, Granted& granted) const {
  const auto values = objects_.values(id);
  if (!values && values.error().code == ErrorCode::kNotFound)
    return fail(ErrorCode::kInvalidArgument,
                "there is no " + words(id) + how_to_make(id, given.key()));
  if (!values) return values.error();
  if (!given.key().empty() && !values->contains(given.key()))
    return fail(ErrorCode::kInvalidArgument,
                words(id) + " has no key '" + given.key() + "'" + how_to_make(id, given.key()));
  for (const auto& [key, value] : *values) {
    if (!given.key().empty() && given.key() != key) continue;
    ASSIGN_OR_RETURN(LockedBytes plain, open(id, key, value));
    RETURN_IF_ERROR(granted.add(given, id.kind == ObjectKind::kSecret, key, std::move(plain)));
  }
  return ok();
}

Result<pods::GrantsPtr> Settings::grants_for(const manifest::Function& function) {
  const manifest::FunctionSpec& spec = function.spec();
  if (spec.config().empty() && spec.secrets().empty()) return pods::GrantsPtr();
  const std::string& own = function.metadata().namespace_();
  const std::string name_space = own.empty() ? manifest::kNamespace : own;
  Granted granted;
  for (const ObjectKind kind : {ObjectKind::kConfig, ObjectKind::kSecret}) {
    const bool secret = kind == ObjectKind::kSecret;
    const auto& list = secret ? spec.secrets() : spec.config();
    for (int i = 0; i < list.size(); ++i) {
      auto added = grant({kind, name_space, list[i].name()}, list[i], granted);
      if (!added)
        return std::move(added).error().annotate((secret ? "spec.secrets[" : "spec.config[") +
                                                 std::to_string(i) + "]");
    }
  }
  return granted.pack();
}

Result<std::vector<api::ObjectView>> Settings::list(ObjectKind kind, std::string_view name_space) {
  if (!name_space.empty()) RETURN_IF_ERROR(namespaces_(name_space));
  ASSIGN_OR_RETURN(std::vector<store::ObjectRecord> records, objects_.list(kind, name_space));
  std::vector<api::ObjectView> views;
  for (store::ObjectRecord& record : records) {
    api::ObjectView view;
    view.record = std::move(record);
    view.used_by = users_(view.record.id);
    views.push_back(std::move(view));
  }
  return views;
}

Result<api::ObjectView> Settings::get(ObjectKind kind, std::string_view name) {
  const ObjectId id = id_of(kind, name);
  api::ObjectView view;
  ASSIGN_OR_RETURN(view.record, objects_.find(id));
  view.used_by = users_(id);
  if (kind == ObjectKind::kSecret) return view;
  ASSIGN_OR_RETURN(const store::StoredValues values, objects_.values(id));
  for (const auto& [key, value] : values) view.data[key] = value.bytes;
  return view;
}

// What lay in a namespace that there is not, nobody would find, and whoever makes it would be
// given.
Status Settings::may_have_values(const ObjectId& id) const {
  RETURN_IF_ERROR(check_id(id));
  auto known = namespaces_(id.name_space);
  if (!known) return std::move(known).error().annotate("change " + words(id));
  return ok();
}

Status Settings::change_config(std::string_view name, const api::ConfigChange& change) {
  const ObjectId id = id_of(ObjectKind::kConfig, name);
  RETURN_IF_ERROR(may_have_values(id));
  store::StoredValues set;
  for (const auto& [key, value] : change.set) {
    RETURN_IF_ERROR(check_key(id, key));
    set[key] = {value, "", value.size()};
  }
  RETURN_IF_ERROR(objects_.change(id, set, change.unset));
  changed(id);
  return ok();
}

Status Settings::set_secret(std::string_view name, std::string_view key, std::string_view value) {
  const ObjectId id = id_of(ObjectKind::kSecret, name);
  RETURN_IF_ERROR(may_have_values(id));
  RETURN_IF_ERROR(check_key(id, key));
  RETURN_IF_ERROR(need_key());
  store::Sealed sealed = keys_->seal(value, place_of(id, key));
  const store::StoredValues set = {
      {std::string(key), {std::move(sealed.bytes), std::move(sealed.key_id), value.size()}}};
  RETURN_IF_ERROR(objects_.change(id, set, {}));
  changed(id);
  return ok();
}

Status Settings::remove(ObjectKind kind, std::string_view name, bool force) {
  const ObjectId id = id_of(kind, name);
  ASSIGN_OR_RETURN([[maybe_unused]] const store::ObjectRecord known, objects_.find(id));
  const std::vector<std::string> users = users_(id);
  if (!users.empty() && !force)
    return fail(ErrorCode::kFailedPrecondition,
                "delete " + words(id) + ": in use by " + names_in_row(users) +
                    "; deploy without it first, or --force: their pods then cannot start");
  RETURN_IF_ERROR(objects_.remove(id));
  changed(id);
  return ok();
}

Status Settings::remove_secret_key(std::string_view name, std::string_view key) {
  const ObjectId id = id_of(ObjectKind::kSecret, name);
  RETURN_IF_ERROR(objects_.change(id, {}, {std::string(key)}));
  changed(id);
  return ok();
}

// The file has both keys while values are sealed with either: a kill at any moment loses nothing.
Result<std::string> Settings::rotate_key() {
  if (!fault_.empty()) return fail(ErrorCode::kFailedPrecondition, fault_);
  if (source_.fd >= 0)
    return fail(ErrorCode::kFailedPrecondition,
                "change secret key: it came by --secret-key-fd, so the node cannot keep another");
  if (!keys_)
    return fail(ErrorCode::kFailedPrecondition, "change secret key: there is no secret yet");
  // Two: one change before this failed half way, so some values may be sealed with its key already.
  // That change is brought to its end; a key more each time would fill the file.
  if (keys_->size() == 1) keys_->add_new();
  if (const auto saved = keys_->save(source_.file, true); !saved) {
    load_key();
    return saved.error();
  }
  std::size_t count = 0;
  RETURN_IF_ERROR(objects_.reseal([&](const ObjectId& id, const std::string& key,
                                      const StoredValue& value) -> Result<StoredValue> {
    ASSIGN_OR_RETURN(const LockedBytes plain, open(id, key, value));
    store::Sealed sealed = keys_->seal(plain.view(), place_of(id, key));
    ++count;
    return StoredValue{std::move(sealed.bytes), std::move(sealed.key_id), value.size};
  }));
  keys_->keep_first();
  RETURN_IF_ERROR(keys_->save(source_.file, true));
  return std::to_string(count) + (count == 1 ? " value is" : " values are") + " sealed with key " +
         keys_->id() + " in " + source_.file;
}

void Settings::changed(const ObjectId& id) {
  if (const auto users = users_(id); !users.empty()) changed_(id, users);
}

}  // namespace subito::node
