// AuditLog: who did what, when, from where, and what came of it. Lines of JSON in DATA/audit, only
// ever appended to. Owned by the node, on the loop's thread.
//
//   DATA/audit/audit-00000001.jsonl   mode 0600, O_APPEND; a new one beyond kAuditFileBytes
//
// Each line bears its number (`seq`) and the SHA-256 of the line before (`prev`): one that was
// taken away or changed is seen by check_chain(). Who may write the files can write the whole chain
// anew; against that helps only a copy of the last hash elsewhere.
//
// A line is written before its answer leaves, so that kill -9 loses none; the disk is told within a
// second (fdatasync, on a thread of libuv's, files in their order), so that a power cut loses that
// second. Beyond kAuditTotalBytes the oldest file goes, and a line says so.
//
// Where no line can be written (a full disk) changes are refused until one can, see ready().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/access/refusal_budget.h"
#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/loop/loop.h"

namespace subito::access {

inline constexpr std::uint64_t kAuditFileBytes = 4 << 20;
inline constexpr std::uint64_t kAuditTotalBytes = 256 << 20;
inline constexpr std::size_t kAuditTextBytesMax =
    256;  // of one text of a line; the rest is cut off
inline constexpr Duration kAuditSyncedWithin = std::chrono::seconds(1);

// More files than one a second are full only where the disk does not answer: then rotate() waits.
inline constexpr std::size_t kAuditRetiredMax = 4;

struct AuditRecord {
  std::int64_t unix_ns = 0;
  std::string actor;       // "token ci", "uid 0"
  std::string from;        // "192.0.2.7", "pid 4711 (subito)"
  std::string action;      // "deploy"
  std::string name_space;  // empty: of the node
  std::string target;      // "stock"; may be empty
  std::string outcome;     // "done", "failed", "refused", "left": the client did before the answer
  int status = 0;          // of the answer; 0: none
  std::string reason;  // why not: the problem's type, for refusals which part was wrong; or what
                       // else was done
};

struct AuditLimits {
  std::uint64_t file_bytes = kAuditFileBytes;
  std::uint64_t total_bytes = kAuditTotalBytes;
  Duration synced_within = kAuditSyncedWithin;
};

class AuditLog {
 public:
  // Makes the folder, and goes on behind the last line of its files.
  static Result<std::unique_ptr<AuditLog>> open(Loop& loop, const std::string& folder,
                                                const AuditLimits& limits = {});
  ~AuditLog();  // tells the disk what it was not told yet

  // Ok, or why nothing can be written. After a failure it tries again, by a line that says how many
  // are missing.
  Status ready();
  // What is wrong, for people; empty: nothing. Tries again first, as ready() does.
  std::string fault();
  // A failure is kept for ready() and counted.
  void append(const AuditRecord& record);
  // The same, as far as the budget of refusals goes.
  void append_refused(const AuditRecord& record, TimePoint now);

  // Each line from now on, without its end, as long as what is returned is kept.
  using OnLine = std::function<void(const std::string& line)>;
  [[nodiscard]] std::shared_ptr<const OnLine> follow(OnLine on_line);
  void end_following() { followers_.clear(); }  // of everybody

  const std::string& folder() const { return folder_; }
  std::uint64_t lines() const { return seq_; }
  std::uint64_t lost() const { return lost_; }          // could not be written
  std::uint64_t refused() const { return refused_; }    // requests, written down or not
  std::uint64_t left_out() const { return left_out_; }  // refusals beyond the budget

 private:
  AuditLog(Loop& loop, std::string folder, const AuditLimits& limits);
  Status take_up();
  Status open_file(std::uint64_t number);
  Status rotate();
  Status make_room();
  Status write_line(std::string line_without_chain);
  Status write_bytes(const std::string& bytes);
  void tell_followers(const std::string& line);
  void sync_later();
  void sync();
  void synced(std::size_t retired, const std::string& error);

  Loop& loop_;
  const std::string folder_;
  const AuditLimits limits_;
  UniqueFd file_;
  std::uint64_t file_number_ = 0;
  std::uint64_t file_bytes_ = 0;
  std::uint64_t seq_ = 0;
  std::string last_line_;  // hashed when the next is written: a node that starts needs no hash
  bool failing_ = false;
  std::uint64_t missing_ = 0;  // lines since it began to fail
  std::uint64_t lost_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t left_out_ = 0;
  std::vector<std::weak_ptr<const OnLine>> followers_;
  RefusalBudget budget_;
  Timer sync_timer_;
  std::unique_ptr<Background> syncing_;
  std::vector<UniqueFd>
      retired_;  // full, and the disk was not told of all; at most kAuditRetiredMax
  bool unsynced_ = false;
  std::string sync_error_;    // of the last time that the disk did not take it
  bool sync_mended_ = false;  // since then it did
};

}  // namespace subito::access
