// Store: the namespaces of functions.
#include <sstream>
#include <utility>

#include "deploy/manifest/defaults.h"
#include "deploy/store/store.h"

namespace subito::store {

namespace {

// A host has no blank.
std::string joined_hosts(const std::vector<std::string>& hosts) {
  std::string text;
  for (const std::string& host : hosts) text += (text.empty() ? "" : " ") + host;
  return text;
}

std::vector<std::string> split_hosts(const std::string& text) {
  std::istringstream words(text);
  std::vector<std::string> hosts;
  for (std::string host; words >> host;) hosts.push_back(std::move(host));
  return hosts;
}

}  // namespace

Result<std::vector<manifest::Namespace>> Store::namespaces() {
  ASSIGN_OR_RETURN(Statement rows,
                   database_.prepare("SELECT name, created_ns, pods, memory_bytes, cpu_millicores, "
                                     "hosts, requests_per_s FROM namespaces ORDER BY name"));
  std::vector<manifest::Namespace> found;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows.step());
    if (!row) return found;
    manifest::Quota quota;
    quota.pods = static_cast<std::uint32_t>(rows.integer(2));
    quota.memory_bytes = static_cast<std::uint64_t>(rows.integer(3));
    quota.cpu_millicores = static_cast<std::uint32_t>(rows.integer(4));
    quota.requests_per_s = static_cast<std::uint32_t>(rows.integer(6));
    found.push_back({rows.text(0), rows.integer(1), quota, split_hosts(rows.text(5))});
  }
}

Status Store::put_namespace(const manifest::Namespace& name_space) {
  return database_.run(
      "INSERT INTO namespaces VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (name) DO UPDATE "
      "SET pods = ?3, memory_bytes = ?4, cpu_millicores = ?5, hosts = ?6, requests_per_s = ?7",
      name_space.name, name_space.created_unix_ns, std::int64_t{name_space.quota.pods},
      static_cast<std::int64_t>(name_space.quota.memory_bytes),
      std::int64_t{name_space.quota.cpu_millicores}, joined_hosts(name_space.hosts),
      std::int64_t{name_space.quota.requests_per_s});
}

Status Store::remove_namespace(std::string_view name, const std::function<Status()>& with) {
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::begin(database_));
  RETURN_IF_ERROR(database_.run("DELETE FROM objects WHERE namespace = ?1", name));
  RETURN_IF_ERROR(database_.run("DELETE FROM namespaces WHERE name = ?1", name));
  if (database_.changes() == 0)
    return fail(ErrorCode::kNotFound, "find namespace " + std::string(name) + ": there is none");
  if (with) RETURN_IF_ERROR(with());
  return transaction.commit();
}

Status Store::make_namespace(const manifest::Namespace& name_space,
                             const std::function<Status()>& with) {
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::begin(database_));
  RETURN_IF_ERROR(database_.run("DELETE FROM objects WHERE namespace = ?1", name_space.name));
  RETURN_IF_ERROR(put_namespace(name_space));
  if (with) RETURN_IF_ERROR(with());
  return transaction.commit();
}

}  // namespace subito::store
