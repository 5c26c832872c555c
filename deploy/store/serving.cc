// Store: which revisions serve, and which are forgotten for it.
#include <algorithm>
#include <utility>

#include "deploy/manifest/defaults.h"
#include "deploy/store/store.h"
#include "runtime/base/time.h"

namespace subito::store {

namespace {

std::int64_t column(std::uint64_t number) {
  return static_cast<std::int64_t>(number);
}

tl::unexpected<Error> no_revision(const std::string& name, std::uint64_t number) {
  return fail(ErrorCode::kNotFound,
              "find revision " + std::to_string(number) + " of " + name + ": there is none");
}

}  // namespace

Result<Serving> Store::serving(std::string_view name) {
  Serving serving;
  {
    ASSIGN_OR_RETURN(Statement row, database_.prepare("SELECT current, previous, target, "
                                                      "rollout_state, rollout_reason, rollout_ns "
                                                      "FROM functions WHERE name = ?1"));
    ASSIGN_OR_RETURN(const bool there, row.bind(name).step());
    if (!there)
      return fail(ErrorCode::kNotFound, "find function " + std::string(name) + ": there is none");
    serving.current = static_cast<std::uint64_t>(row.integer(0));
    serving.previous = static_cast<std::uint64_t>(row.integer(1));
    serving.target = static_cast<std::uint64_t>(row.integer(2));
    serving.state = static_cast<RolloutState>(row.integer(3));
    serving.reason = row.text(4);
    serving.changed_unix_ns = row.integer(5);
  }
  ASSIGN_OR_RETURN(Statement rows,
                   database_.prepare("SELECT number, weight FROM traffic WHERE function = ?1 "
                                     "ORDER BY number"));
  rows.bind(name);
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows.step());
    if (!row) return serving;
    serving.shares.push_back(
        {static_cast<std::uint64_t>(rows.integer(0)), static_cast<std::uint32_t>(rows.integer(1))});
  }
}

Status Store::commit(const Candidate& candidate) {
  ASSIGN_OR_RETURN(Serving now, serving(candidate.function));
  Serving next;
  next.previous = now.current;
  next.current = candidate.number;
  next.changed_unix_ns = wall_clock_nanoseconds();
  return commit(candidate, next);
}

Status Store::commit(const Candidate& candidate, const Serving& serving, const Numbers& in_use) {
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::begin(database_));
  RETURN_IF_ERROR(database_.run(
      "UPDATE revisions SET committed = 1 WHERE function = ?1 AND number = ?2 AND committed = 0",
      candidate.function, column(candidate.number)));
  if (database_.changes() != 1)
    return fail(ErrorCode::kNotFound, "commit revision " + std::to_string(candidate.number) +
                                          " of " + candidate.function + ": no such candidate");
  RETURN_IF_ERROR(write_serving(candidate.function, serving));
  ASSIGN_OR_RETURN(const std::vector<std::string> hashes,
                   prune(candidate.function, serving, in_use));
  RETURN_IF_ERROR(transaction.commit());
  // The deploy is done. A binary that cannot be removed now is collected by the next open().
  (void)remove_unreferenced(hashes);
  return ok();
}

Status Store::set_serving(std::string_view name, const Serving& serving, const Numbers& in_use) {
  const std::string function(name);
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::begin(database_));
  RETURN_IF_ERROR(write_serving(function, serving));
  ASSIGN_OR_RETURN(const std::vector<std::string> hashes, prune(function, serving, in_use));
  RETURN_IF_ERROR(transaction.commit());
  (void)remove_unreferenced(hashes);  // as in commit()
  return ok();
}

// Within a transaction.
Status Store::write_serving(const std::string& name, const Serving& serving) {
  std::vector<std::uint64_t> named = {serving.current};
  if (serving.target != 0) named.push_back(serving.target);
  for (const Share& share : serving.shares) named.push_back(share.number);
  for (const std::uint64_t number : named) {
    ASSIGN_OR_RETURN(Statement row, database_.prepare("SELECT 1 FROM revisions WHERE function = ?1 "
                                                      "AND number = ?2 AND committed = 1"));
    ASSIGN_OR_RETURN(const bool there, row.bind(name, column(number)).step());
    if (!there) return no_revision(name, number);
  }
  RETURN_IF_ERROR(database_.run(
      "UPDATE functions SET current = ?2, previous = ?3, target = ?4, rollout_state = ?5, "
      "rollout_reason = ?6, rollout_ns = ?7 WHERE name = ?1",
      name, column(serving.current), column(serving.previous), column(serving.target),
      static_cast<std::int64_t>(serving.state), serving.reason, serving.changed_unix_ns));
  RETURN_IF_ERROR(database_.run("DELETE FROM traffic WHERE function = ?1", name));
  for (const Share& share : serving.shares) {
    RETURN_IF_ERROR(
        database_.run("INSERT INTO traffic (function, number, weight) VALUES (?1, ?2, ?3)", name,
                      column(share.number), std::int64_t{share.weight}));
  }
  return ok();
}

// Within a transaction: forgets the oldest revisions; returns the artefacts they had.
Result<std::vector<std::string>> Store::prune(const std::string& name, const Serving& serving,
                                              const Numbers& in_use) {
  ASSIGN_OR_RETURN(const Revision current, revision(name, serving.current));
  const manifest::Rollout& rollout = current.spec.spec().rollout();
  // A revision stored before there were rollouts does not say.
  int left = rollout.has_revisions_kept() ? rollout.revisions_kept() : manifest::kRevisionsKept;
  Numbers keep = in_use;
  keep.insert({serving.current, serving.target});
  for (const Share& share : serving.shares) keep.insert(share.number);
  // What an undo goes back to is the last of the old ones to go.
  if (left > 0 && serving.previous != 0 && keep.insert(serving.previous).second) --left;

  ASSIGN_OR_RETURN(Statement rows,
                   database_.prepare("SELECT number, artefact FROM revisions WHERE function = ?1 "
                                     "AND committed = 1 ORDER BY number DESC"));
  rows.bind(name);
  std::vector<std::pair<std::int64_t, std::string>> forgotten;
  bool first = true;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows.step());
    if (!row) break;
    // The newest may be a candidate that was just acknowledged and serves only later.
    const bool newest = std::exchange(first, false);
    if (keep.contains(static_cast<std::uint64_t>(rows.integer(0)))) continue;
    if (left-- > 0 || newest) continue;
    forgotten.emplace_back(rows.integer(0), rows.text(1));
  }
  std::vector<std::string> hashes;
  for (auto& [number, hash] : forgotten) {
    RETURN_IF_ERROR(
        database_.run("DELETE FROM revisions WHERE function = ?1 AND number = ?2", name, number));
    hashes.push_back(std::move(hash));
  }
  return hashes;
}

}  // namespace subito::store
