#include "deploy/store/store.h"

#include <algorithm>
#include <utility>

#include "deploy/manifest/manifest.h"
#include "deploy/manifest/qualified_name.h"
#include "runtime/base/time.h"

namespace subito::store {

namespace {

// The columns that read_revision() reads, in its order.
#define REVISION_COLUMNS                                                                         \
  "r.function, r.number, r.spec, r.artefact, r.created_ns, f.current = r.number, f.created_ns, " \
  "r.scaled, r.message "

Result<Revision> read_revision(const Statement& row) {
  Revision revision;
  revision.function = row.text(0);
  revision.number = static_cast<std::uint64_t>(row.integer(1));
  if (!revision.spec.ParseFromString(row.text(2)))
    return fail(ErrorCode::kInternal,
                "read revision of " + revision.function + ": spec is damaged");
  revision.artefact = row.text(3);
  revision.created_unix_ns = row.integer(4);
  revision.current = row.integer(5) != 0;
  revision.scaled = row.integer(7) != 0;
  revision.message = row.text(8);
  return revision;
}

tl::unexpected<Error> no_function(std::string_view name) {
  return fail(ErrorCode::kNotFound, "find function " + std::string(name) + ": there is none");
}

std::int64_t as_int(std::uint64_t number) {
  return static_cast<std::int64_t>(number);
}

}  // namespace

Result<std::vector<FunctionRecord>> Store::functions() {
  ASSIGN_OR_RETURN(Statement rows,
                   database_.prepare("SELECT " REVISION_COLUMNS
                                     "FROM functions f JOIN revisions r ON r.function = f.name AND "
                                     "r.number = f.current ORDER BY f.name"));
  std::vector<FunctionRecord> found;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows.step());
    if (!row) return found;
    ASSIGN_OR_RETURN(Revision revision, read_revision(rows));
    found.push_back({std::move(revision), rows.integer(6)});
  }
}

Result<FunctionRecord> Store::function(std::string_view name) {
  ASSIGN_OR_RETURN(Statement rows,
                   database_.prepare("SELECT " REVISION_COLUMNS
                                     "FROM functions f JOIN revisions r ON r.function = f.name AND "
                                     "r.number = f.current WHERE f.name = ?1"));
  ASSIGN_OR_RETURN(const bool row, rows.bind(name).step());
  if (!row) return no_function(name);
  ASSIGN_OR_RETURN(Revision revision, read_revision(rows));
  return FunctionRecord{std::move(revision), rows.integer(6)};
}

Result<std::vector<Revision>> Store::revisions(std::string_view function) {
  ASSIGN_OR_RETURN(Statement rows,
                   database_.prepare("SELECT " REVISION_COLUMNS
                                     "FROM functions f JOIN revisions r ON r.function = f.name "
                                     "WHERE f.name = ?1 AND r.committed = 1 "
                                     "ORDER BY r.number DESC"));
  rows.bind(function);
  std::vector<Revision> found;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows.step());
    if (!row) break;
    ASSIGN_OR_RETURN(Revision revision, read_revision(rows));
    found.push_back(std::move(revision));
  }
  if (found.empty()) return no_function(function);
  return found;
}

Result<Revision> Store::revision(std::string_view function, std::uint64_t number) {
  ASSIGN_OR_RETURN(Statement rows,
                   database_.prepare("SELECT " REVISION_COLUMNS
                                     "FROM functions f JOIN revisions r ON r.function = f.name "
                                     "WHERE f.name = ?1 AND r.number = ?2"));
  ASSIGN_OR_RETURN(const bool row, rows.bind(function, as_int(number)).step());
  if (!row)
    return fail(ErrorCode::kNotFound, "find revision " + std::to_string(number) + " of " +
                                          std::string(function) + ": there is none");
  return read_revision(rows);
}

// Takes the next number of the function, which is made if it is new.
Result<std::uint64_t> Store::next_number(const std::string& function) {
  RETURN_IF_ERROR(database_.run(
      "INSERT OR IGNORE INTO functions (name, next_number, created_ns) VALUES (?1, 1, ?2)",
      function, std::int64_t{wall_clock_nanoseconds()}));
  ASSIGN_OR_RETURN(Statement count, database_.prepare("SELECT count(*) FROM functions"));
  ASSIGN_OR_RETURN(const bool counted, count.step());
  if (counted && count.integer(0) > kFunctionsMax)
    return fail(ErrorCode::kResourceExhausted,
                "add function: a node has at most " + std::to_string(kFunctionsMax));
  ASSIGN_OR_RETURN(Statement row,
                   database_.prepare("UPDATE functions SET next_number = next_number "
                                     "+ 1 WHERE name = ?1 RETURNING next_number"));
  ASSIGN_OR_RETURN(const bool there, row.bind(function).step());
  if (!there) return no_function(function);
  const std::int64_t next = row.integer(0);
  RETURN_IF_ERROR(row.run());
  return static_cast<std::uint64_t>(next - 1);
}

Result<Candidate> Store::prepare(const manifest::Function& spec, const std::string& artefact,
                                 const std::string& message) {
  RETURN_IF_ERROR(artefacts_.path(artefact));
  Candidate candidate{manifest::qualified_name(spec.metadata()), 0};
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::begin(database_));
  ASSIGN_OR_RETURN(candidate.number, next_number(candidate.function));
  RETURN_IF_ERROR(database_.run(
      "INSERT INTO revisions (function, number, spec, artefact, created_ns, committed, message) "
      "VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6)",
      candidate.function, as_int(candidate.number), Blob{spec.SerializeAsString()}, artefact,
      std::int64_t{wall_clock_nanoseconds()}, message));
  RETURN_IF_ERROR(transaction.commit());
  return candidate;
}

Status Store::drop(const Candidate& candidate) {
  RETURN_IF_ERROR(
      database_.run("DELETE FROM revisions WHERE function = ?1 AND number = ?2 AND committed = 0",
                    candidate.function, as_int(candidate.number)));
  return database_.run(
      "DELETE FROM functions WHERE name = ?1 AND current IS NULL AND NOT EXISTS "
      "(SELECT 1 FROM revisions WHERE function = ?1)",
      candidate.function);
}

Result<std::vector<std::string>> Store::artefacts_of(std::string_view function) {
  ASSIGN_OR_RETURN(Statement rows,
                   database_.prepare("SELECT artefact FROM revisions WHERE function = ?1"));
  rows.bind(function);
  std::vector<std::string> hashes;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows.step());
    if (!row) return hashes;
    hashes.push_back(rows.text(0));
  }
}

Status Store::remove_function(std::string_view name) {
  ASSIGN_OR_RETURN(const std::vector<std::string> hashes, artefacts_of(name));
  RETURN_IF_ERROR(database_.run("DELETE FROM functions WHERE name = ?1", name));
  if (database_.changes() == 0) return no_function(name);
  (void)remove_unreferenced(hashes);  // as in commit()
  return ok();
}

Status Store::remove_unreferenced(const std::vector<std::string>& hashes) {
  for (const std::string& hash : hashes) {
    ASSIGN_OR_RETURN(Statement row,
                     database_.prepare("SELECT 1 FROM revisions WHERE artefact = ?1 LIMIT 1"));
    ASSIGN_OR_RETURN(const bool referenced, row.bind(hash).step());
    if (!referenced) artefacts_.remove(hash);
  }
  return ok();
}

Status Store::set_scaling(std::string_view name, std::optional<std::int32_t> min,
                          std::optional<std::int32_t> max) {
  ASSIGN_OR_RETURN(FunctionRecord record, function(name));
  manifest::Scaling& scaling = *record.revision.spec.mutable_spec()->mutable_scaling();
  if (min) scaling.set_min(*min);
  if (max) scaling.set_max(*max);
  if (scaling.has_max() && scaling.min() > scaling.max())
    return fail(ErrorCode::kInvalidArgument,
                "scale " + std::string(name) + ": minimum " + std::to_string(scaling.min()) +
                    " is above maximum " + std::to_string(scaling.max()));
  return database_.run(
      "UPDATE revisions SET spec = ?3, scaled = 1 WHERE function = ?1 AND number = ?2", name,
      as_int(record.revision.number), Blob{record.revision.spec.SerializeAsString()});
}

Result<bool> Store::is_current(const manifest::Function& spec, std::string_view artefact) {
  auto record = function(manifest::qualified_name(spec.metadata()));
  if (!record && record.error().code == ErrorCode::kNotFound) return false;
  if (!record) return std::move(record).error();
  // Canonical JSON: serialized maps have no order to compare by.
  return record->revision.artefact == artefact &&
         manifest::to_json(record->revision.spec) == manifest::to_json(spec);
}

Result<std::optional<std::string>> Store::setting(std::string_view key) {
  ASSIGN_OR_RETURN(Statement rows, database_.prepare("SELECT value FROM settings WHERE key = ?1"));
  ASSIGN_OR_RETURN(const bool row, rows.bind(key).step());
  if (!row) return std::optional<std::string>();
  return std::optional<std::string>(rows.text(0));
}

Status Store::set_setting(std::string_view key, std::string_view value) {
  return database_.run("INSERT OR REPLACE INTO settings (key, value) VALUES (?1, ?2)", key, value);
}

}  // namespace subito::store
