// Backup and restore of what a store holds: functions, revisions, settings and binaries. A backup
// is a folder of the same form as the data folder:
//
//   BACKUP/state.db      a copy of one moment, in one file
//   BACKUP/artefacts/    the binaries that it refers to, by SHA-256
//   BACKUP/backup.lock   flock(2): one backup at a time
//
// Not in it: what functions keep in Redis, logs, and keys that lie outside the data folder.
//
// back_up() may run while a node does, which never waits for it: the database is read into memory
// at one moment, and no lock is held while the backup is written. One that is killed leaves the
// backup that was there before. Synchronous; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/result.h"

namespace subito::store {

// A binary that revisions refer to and that is not there, or not whole.
struct BinaryGap {
  std::string artefact;   // its SHA-256
  std::string revisions;  // "stock 3, cart 1"
  std::string fault;      // why
  bool kept = false;      // the backup has it from an earlier time, whole
};

struct BackupReport {
  std::uint64_t functions = 0;
  std::uint64_t revisions = 0;
  std::uint64_t artefacts = 0;
  std::uint64_t copied = 0;  // of these: others were there already
  std::vector<BinaryGap> gaps;

  // Of restore() alone.
  std::uint64_t tokens = 0;          // that live again
  std::uint64_t revoked = 0;         // of the backup's, kept revoked: the data folder knew
  bool revocations_unknown = false;  // its database could not be read
};

// Into a folder that is not there, is empty, or holds a backup, interrupted or whole: that is
// brought up to date, and only binaries that it does not have whole are copied. One that the data
// folder has lost, or has damaged, is left out and named in `gaps`. kNotFound: there is no store in
// `data`; kUnavailable: another backup writes there.
Result<BackupReport> back_up(const std::string& data, const std::string& backup);

// Checks the whole backup first (database, schema, each binary by its hash), then puts it into
// `data`, which no node may use meanwhile (kAlreadyExists). What the backup left out stays out, see
// `gaps`; anything else that it lacks is an error. kFailedPrecondition: something is there already,
// unless `replace`; a backup of a newer Subito. A kill leaves the old state or the new one.
Result<BackupReport> restore(const std::string& backup, const std::string& data, bool replace);

}  // namespace subito::store
