// Store: what a node must not forget: functions, their revisions and settings in SQLite, their
// binaries as files. Owned by the node; lives on its control loop's thread and is synchronous (a
// deploy costs a few fsyncs). One process per data folder, held by a lock.
//
//   DATA/lock          flock(2), holds the owner's pid
//   DATA/state.db      functions, revisions, traffic, namespaces, tokens, settings, config objects
//                      and secrets, sealed; write-ahead log, synchronous=FULL
//   DATA/artefacts/    binaries by SHA-256 (artefacts.h)
//
// Deploy: put the artefact, prepare() a candidate, try it, commit() or drop() it. What commit()
// acknowledged survives kill -9 and power loss; before it nothing has changed for anybody:
// candidates that nobody committed are dropped by the next open().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/manifest/function.pb.h"
#include "deploy/manifest/name_space.h"
#include "deploy/store/artefacts.h"
#include "deploy/store/settings_store.h"
#include "deploy/store/sqlite.h"
#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"

namespace subito::store {

inline constexpr int kFunctionsMax = 10'000;  // of a node

struct Revision {
  std::string function;
  std::uint64_t number = 0;  // counts up from 1; a dropped candidate's number is not used again
  manifest::Function spec;
  std::string artefact;  // SHA-256
  std::int64_t created_unix_ns = 0;
  bool current = false;
  bool scaled = false;  // by set_scaling()
  std::string message;  // of whoever deployed it, may be empty
};

enum class RolloutState : std::uint8_t {
  kComplete,     // the current revision serves, or those of `shares`
  kProgressing,  // pods of `target` take the place of those of the current one
  kPaused,       // midway: both serve, by `shares`
  kFailed,       // pods of `target` did not come up: the current one serves on, see `reason`
};

struct Share {
  std::uint64_t number = 0;  // of a revision
  std::uint32_t weight = 0;
  friend bool operator==(const Share&, const Share&) = default;
};

// Which revisions of a function serve.
struct Serving {
  std::uint64_t current = 0;
  std::uint64_t previous = 0;  // that was current before; 0: none was
  std::vector<Share> shares;   // of the traffic; empty: all is the current one's
  RolloutState state = RolloutState::kComplete;
  std::uint64_t target = 0;  // of the last rollout that is not complete; 0: there is none
  std::string reason;        // why it failed
  std::int64_t changed_unix_ns = 0;
};

struct FunctionRecord {
  Revision revision;                 // the current one
  std::int64_t created_unix_ns = 0;  // of the function
};

// A revision that is not current yet.
struct Candidate {
  std::string function;
  std::uint64_t number = 0;
};

class Store {
 public:
  // Makes the folder if need be, takes its lock, migrates, drops candidates and garbage.
  // kAlreadyExists: another process has it (named by pid); kFailedPrecondition: written by a newer
  // Subito.
  static Result<std::unique_ptr<Store>> open(const std::string& folder);
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  const std::string& folder() const { return folder_; }

  // An artefact that no revision refers to lives until the next open().
  Result<ArtefactWriter> begin_artefact() { return artefacts_.begin(); }
  Result<std::string> artefact_path(std::string_view hash) const { return artefacts_.path(hash); }

  Result<std::vector<FunctionRecord>> functions();                     // by name
  Result<FunctionRecord> function(std::string_view name);              // kNotFound
  Result<std::vector<Revision>> revisions(std::string_view function);  // newest first; kNotFound
  Result<Revision> revision(std::string_view function, std::uint64_t number);  // candidates too

  // `spec.metadata` names the function and its namespace: it is stored by its qualified name. The
  // artefact must be in the store (kNotFound).
  Result<Candidate> prepare(const manifest::Function& spec, const std::string& artefact,
                            const std::string& message = {});
  // Makes it a revision, and what serves as told: in one, so that a kill leaves both or neither.
  // Old revisions beyond spec.rollout.revisionsKept of the current one are forgotten, with binaries
  // that no other has; never one that serves or that is `in_use`.
  using Numbers = std::set<std::uint64_t>;
  Status commit(const Candidate& candidate, const Serving& serving, const Numbers& in_use = {});
  Status commit(const Candidate& candidate);  // as the current one, which serves alone
  Status drop(const Candidate& candidate);
  Result<Serving> serving(std::string_view name);  // kNotFound
  // kNotFound also when it names a revision that there is not.
  Status set_serving(std::string_view name, const Serving& serving, const Numbers& in_use = {});
  Status remove_function(std::string_view name);  // kNotFound
  // Changes the current revision's scaling in place; absent: as it is. kInvalidArgument when the
  // minimum would exceed the maximum.
  Status set_scaling(std::string_view name, std::optional<std::int32_t> min,
                     std::optional<std::int32_t> max);
  // True when a deploy of this would change nothing.
  Result<bool> is_current(const manifest::Function& spec, std::string_view artefact);

  // Config objects and secrets.
  SettingsStore& objects() { return *objects_; }
  // Namespaces, by name; `default` is always there. Functions are not asked.
  Result<std::vector<manifest::Namespace>> namespaces();
  Status put_namespace(const manifest::Namespace& name_space);  // new, or in place of the old one
  // With config and secrets; `with` writes what goes in the same transaction. kNotFound.
  Status remove_namespace(std::string_view name, const std::function<Status()>& with = {});
  // The same, but for config and secrets that are there under its name already: they go.
  Status make_namespace(const manifest::Namespace& name_space,
                        const std::function<Status()>& with = {});

  // Settings of the node itself, by key.
  Result<std::optional<std::string>> setting(std::string_view key);
  Status set_setting(std::string_view key, std::string_view value);

  Database& database() { return database_; }  // for the tables of tokens.h

 private:
  Store(std::string folder, UniqueFd lock, Database database, Artefacts artefacts);
  Status migrate();
  Status drop_candidates();
  Status collect_artefacts();
  Result<std::uint64_t> next_number(const std::string& function);
  Status write_serving(const std::string& name, const Serving& serving);
  Result<std::vector<std::string>> prune(const std::string& name, const Serving& serving,
                                         const Numbers& in_use);
  Result<std::vector<std::string>> artefacts_of(std::string_view function);
  Status remove_unreferenced(const std::vector<std::string>& hashes);

  std::string folder_;
  UniqueFd lock_;
  Database database_;
  Artefacts artefacts_;
  std::optional<SettingsStore> objects_;  // over database_
};

}  // namespace subito::store
