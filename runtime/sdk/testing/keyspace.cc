#include "runtime/sdk/testing/keyspace.h"

#include <algorithm>

namespace subito::testing {

std::string* Hash::find(std::string_view field) {
  const auto at = std::find_if(fields.begin(), fields.end(),
                               [field](const auto& known) { return known.first == field; });
  return at == fields.end() ? nullptr : &at->second;
}

bool Hash::set(const std::string& field, const std::string& value) {
  if (std::string* known = find(field)) {
    *known = value;
    return false;
  }
  fields.emplace_back(field, value);
  return true;
}

bool Hash::erase(std::string_view field) {
  return std::erase_if(fields, [field](const auto& known) { return known.first == field; }) > 0;
}

// A key is gone at the very moment of its expiry, so that advance() by its time is enough.
Keyspace::Entries::iterator Keyspace::living(const std::string& key) {
  const auto at = entries_.find(key);
  if (at == entries_.end() || !at->second.expires || *at->second.expires > now()) return at;
  entries_.erase(at);
  return entries_.end();
}

Value* Keyspace::any(const std::string& key) {
  const auto at = living(key);
  return at == entries_.end() ? nullptr : &at->second.value;
}

void Keyspace::put(const std::string& key, Value value) {
  living(key);
  entries_[key].value = std::move(value);
}

bool Keyspace::erase(const std::string& key) {
  const auto at = living(key);
  if (at == entries_.end()) return false;
  entries_.erase(at);
  return true;
}

std::optional<Keyspace::Time> Keyspace::expiry(const std::string& key) {
  const auto at = living(key);
  return at == entries_.end() ? std::nullopt : at->second.expires;
}

void Keyspace::set_expiry(const std::string& key, std::optional<Time> at) {
  const auto entry = living(key);
  if (entry != entries_.end()) entry->second.expires = at;
}

std::vector<std::string> Keyspace::keys() {
  std::erase_if(entries_, [this](const auto& entry) {
    return entry.second.expires && *entry.second.expires <= now();
  });
  std::vector<std::string> keys;
  for (const auto& [key, entry] : entries_) keys.push_back(key);
  return keys;
}

}  // namespace subito::testing
