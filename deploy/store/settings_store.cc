#include "deploy/store/settings_store.h"

#include <utility>

#include "deploy/manifest/defaults.h"
#include "runtime/base/time.h"

namespace subito::store {

namespace {

std::int64_t number_of(ObjectKind kind) {
  return static_cast<std::int64_t>(kind);
}

tl::unexpected<Error> no_object(const ObjectId& id) {
  return fail(ErrorCode::kNotFound, "find " + words(id) + ": there is none");
}

ObjectRecord read_object(const Statement& row) {
  ObjectRecord record;
  record.id = {static_cast<ObjectKind>(row.integer(0)), row.text(1), row.text(2)};
  record.created_unix_ns = row.integer(3);
  record.changed_unix_ns = row.integer(4);
  return record;
}

}  // namespace

std::string_view to_string(ObjectKind kind) {
  return kind == ObjectKind::kConfig ? "config" : "secret";
}

std::string words(const ObjectId& id) {
  std::string text = std::string(to_string(id.kind)) + " " + id.name;
  if (id.name_space != manifest::kNamespace) text += " of namespace " + id.name_space;
  return text;
}

Result<std::vector<ObjectRecord>> SettingsStore::list(ObjectKind kind,
                                                      std::string_view name_space) {
  std::vector<ObjectRecord> found;
  {
    ASSIGN_OR_RETURN(
        Statement rows,
        database_.prepare("SELECT kind, namespace, name, created_ns, changed_ns FROM objects WHERE "
                          "kind = ?1 AND (?2 = '' OR namespace = ?2) ORDER BY namespace, name"));
    rows.bind(number_of(kind), name_space);
    while (true) {
      ASSIGN_OR_RETURN(const bool row, rows.step());
      if (!row) break;
      found.push_back(read_object(rows));
    }
  }
  for (ObjectRecord& record : found) {
    ASSIGN_OR_RETURN(record.keys, keys_of(record.id));
  }
  return found;
}

Result<std::map<std::string, ObjectCounts>> SettingsStore::counts() {
  ASSIGN_OR_RETURN(Statement rows,
                   database_.prepare("SELECT kind, namespace, count(*) FROM objects GROUP BY kind, "
                                     "namespace"));
  std::map<std::string, ObjectCounts> found;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows.step());
    if (!row) return found;
    ObjectCounts& counts = found[rows.text(1)];
    const bool config = rows.integer(0) == number_of(ObjectKind::kConfig);
    (config ? counts.configs : counts.secrets) = static_cast<std::uint32_t>(rows.integer(2));
  }
}

Result<ObjectRecord> SettingsStore::find(const ObjectId& id) {
  ASSIGN_OR_RETURN(Statement rows,
                   database_.prepare("SELECT kind, namespace, name, created_ns, changed_ns FROM "
                                     "objects WHERE kind = ?1 AND namespace = ?2 AND name = ?3"));
  ASSIGN_OR_RETURN(const bool row, rows.bind(number_of(id.kind), id.name_space, id.name).step());
  if (!row) return no_object(id);
  ObjectRecord record = read_object(rows);
  ASSIGN_OR_RETURN(record.keys, keys_of(id));
  return record;
}

Result<std::vector<KeyRecord>> SettingsStore::keys_of(const ObjectId& id) {
  ASSIGN_OR_RETURN(Statement rows,
                   database_.prepare("SELECT key, size, changed_ns FROM object_values WHERE kind = "
                                     "?1 AND namespace = ?2 AND name = ?3 ORDER BY key"));
  rows.bind(number_of(id.kind), id.name_space, id.name);
  std::vector<KeyRecord> keys;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows.step());
    if (!row) return keys;
    keys.push_back({rows.text(0), static_cast<std::uint64_t>(rows.integer(1)), rows.integer(2)});
  }
}

Result<StoredValues> SettingsStore::values(const ObjectId& id) {
  ASSIGN_OR_RETURN([[maybe_unused]] const ObjectRecord known, find(id));
  ASSIGN_OR_RETURN(Statement rows,
                   database_.prepare("SELECT key, value, key_id, size FROM object_values WHERE "
                                     "kind = ?1 AND namespace = ?2 AND name = ?3"));
  rows.bind(number_of(id.kind), id.name_space, id.name);
  StoredValues values;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows.step());
    if (!row) return values;
    values[rows.text(0)] = {rows.text(1), rows.text(2),
                            static_cast<std::uint64_t>(rows.integer(3))};
  }
}

Status SettingsStore::make(const ObjectId& id, std::int64_t now) {
  RETURN_IF_ERROR(database_.run(
      "INSERT INTO objects (kind, namespace, name, created_ns, changed_ns) VALUES (?1, ?2, ?3, ?4, "
      "?4) ON CONFLICT (kind, namespace, name) DO UPDATE SET changed_ns = ?4",
      number_of(id.kind), id.name_space, id.name, now));
  ASSIGN_OR_RETURN(
      Statement count,
      database_.prepare("SELECT count(*) FROM objects WHERE kind = ?1 AND namespace = ?2"));
  ASSIGN_OR_RETURN(const bool counted, count.bind(number_of(id.kind), id.name_space).step());
  if (counted && count.integer(0) > kObjectsMax)
    return fail(ErrorCode::kResourceExhausted,
                "add " + words(id) + ": a namespace has at most " + std::to_string(kObjectsMax));
  return ok();
}

Status SettingsStore::change(const ObjectId& id, const StoredValues& set,
                             const std::vector<std::string>& unset) {
  const std::int64_t now = wall_clock_nanoseconds();
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::begin(database_));
  if (set.empty()) {
    ASSIGN_OR_RETURN([[maybe_unused]] const ObjectRecord known, find(id));
  }
  RETURN_IF_ERROR(make(id, now));
  for (const std::string& key : unset) {
    RETURN_IF_ERROR(
        database_.run("DELETE FROM object_values WHERE kind = ?1 AND namespace = ?2 AND name = ?3 "
                      "AND key = ?4",
                      number_of(id.kind), id.name_space, id.name, key));
    if (database_.changes() == 0)
      return fail(ErrorCode::kNotFound, "find " + words(id) + ": it has no key '" + key + "'");
  }
  for (const auto& [key, value] : set) {
    RETURN_IF_ERROR(database_.run(
        "INSERT OR REPLACE INTO object_values (kind, namespace, name, key, value, key_id, size, "
        "changed_ns) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        number_of(id.kind), id.name_space, id.name, key, Blob{value.bytes}, value.key_id,
        static_cast<std::int64_t>(value.size), now));
  }
  RETURN_IF_ERROR(check_limits(id));
  return transaction.commit();
}

Status SettingsStore::check_limits(const ObjectId& id) {
  ASSIGN_OR_RETURN(const std::vector<KeyRecord> keys, keys_of(id));
  std::uint64_t bytes = 0;
  for (const KeyRecord& key : keys) bytes += key.key.size() + key.bytes;
  const auto too_much = [&](const std::string& what) {
    return fail(ErrorCode::kResourceExhausted, "change " + words(id) + ": " + what);
  };
  if (keys.size() > static_cast<std::size_t>(kObjectKeysMax))
    return too_much("more than " + std::to_string(kObjectKeysMax) + " keys");
  if (bytes > kObjectBytesMax)
    return too_much("its keys and values take " + std::to_string(bytes) + " bytes, at most " +
                    std::to_string(kObjectBytesMax) + " are allowed");
  return ok();
}

Status SettingsStore::remove(const ObjectId& id) {
  RETURN_IF_ERROR(
      database_.run("DELETE FROM objects WHERE kind = ?1 AND namespace = ?2 AND name = ?3",
                    number_of(id.kind), id.name_space, id.name));
  if (database_.changes() == 0) return no_object(id);
  return ok();
}

Result<bool> SettingsStore::has_secrets() {
  ASSIGN_OR_RETURN(Statement row,
                   database_.prepare("SELECT 1 FROM object_values WHERE key_id != '' LIMIT 1"));
  return row.step();
}

Status SettingsStore::reseal(const Reseal& reseal) {
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::begin(database_));
  ASSIGN_OR_RETURN(const std::vector<ObjectRecord> secrets, list(ObjectKind::kSecret, ""));
  for (const ObjectRecord& secret : secrets) {
    const ObjectId& id = secret.id;
    ASSIGN_OR_RETURN(const StoredValues all, values(id));
    for (const auto& [key, value] : all) {
      ASSIGN_OR_RETURN(const StoredValue next, reseal(id, key, value));
      RETURN_IF_ERROR(database_.run(
          "UPDATE object_values SET value = ?5, key_id = ?6 WHERE kind = ?1 AND namespace = ?2 AND "
          "name = ?3 AND key = ?4",
          number_of(id.kind), id.name_space, id.name, key, Blob{next.bytes}, next.key_id));
    }
  }
  return transaction.commit();
}

}  // namespace subito::store
