// subito backup and restore: what a node must not forget, as a folder. They work on the data folder
// itself, so that a node that does not start can be backed up too.
#include <filesystem>
#include <memory>

#include "deploy/cli/session.h"
#include "deploy/store/backup.h"

namespace subito::cli {

namespace {

struct BackupOptions {
  std::string folder;
  std::string data = kDefaultData;
  bool replace = false;
};

std::string words_of(const store::BackupReport& report) {
  return std::to_string(report.functions) + " functions, " + std::to_string(report.revisions) +
         " revisions, " + std::to_string(report.artefacts) + " binaries (" +
         std::to_string(report.copied) + " copied)";
}

std::vector<std::string> words_of(const std::vector<store::BinaryGap>& gaps) {
  std::vector<std::string> words;
  for (const store::BinaryGap& gap : gaps) {
    words.push_back("the binary of " + gap.revisions + " is " +
                    (gap.kept ? "that of an earlier backup, the node's is lost"
                              : "left out, they are out of service until they are deployed again") +
                    ": " + gap.fault);
  }
  return words;
}

int tell_error(const Session& session, const Error& error) {
  std::string message = error.message;
  if (error.code == ErrorCode::kPermissionDenied && !session.environment.is_root)
    message += "; run it as root";
  return session.tell(kFailed, message);
}

// They work on the data folder itself; who says --server means another machine's.
int not_elsewhere(const Session& session, const std::string& command) {
  return session.tell(kUsage, command +
                                  ": it works on the machine of the node alone, on its data "
                                  "folder, not with " +
                                  session.server);
}

int backup(const Session& session, const BackupOptions& options) {
  if (!session.server.empty()) return not_elsewhere(session, "backup");
  const auto made = store::back_up(options.data, options.folder);
  if (!made) return tell_error(session, made.error());
  session.out() << words_of(*made) << " are in " << options.folder
                << "\nnot in it: what functions keep in Redis, logs, and keys outside "
                << options.data << '\n';
  if (made->gaps.empty()) return kOk;
  (void)session.tell(kFailed, words_of(made->gaps));
  return session.tell(kFailed, "the backup is written and can be restored, but the node has lost " +
                                   std::to_string(made->gaps.size()) + " binaries");
}

void tell_tokens(const Session& session, const store::BackupReport& made) {
  if (made.revoked > 0)
    session.out() << made.revoked << " tokens that were revoked since the backup stay so\n";
  if (made.revocations_unknown)
    session.out()
        << "what was there could not be read: tokens revoked since the backup live again\n";
  if (made.tokens > 0)
    session.out()
        << made.tokens
        << " tokens of the backup are valid again; revoke anew what should not be: subito "
           "token list\n";
}

int restore(const Session& session, const BackupOptions& options) {
  if (!session.server.empty()) return not_elsewhere(session, "restore");
  const auto made = store::restore(options.folder, options.data, options.replace);
  if (!made) return tell_error(session, made.error());
  session.out() << words_of(*made) << " are in " << options.data << "; start the node: subito up"
                << (options.data == kDefaultData ? "" : " --data " + options.data) << '\n';
  tell_tokens(session, *made);
  if (made->gaps.empty()) return kOk;
  (void)session.tell(kFailed, words_of(made->gaps));
  return session.tell(kFailed, "all else is restored, but the backup lacks " +
                                   std::to_string(made->gaps.size()) + " binaries");
}

}  // namespace

void add_backup(CLI::App& app, Session& session) {
  auto options = std::make_shared<BackupOptions>();
  CLI::App& command = *app.add_subcommand(
      "backup",
      "Copy functions, revisions and binaries to a folder, the node may run: backup FOLDER");
  command.group("Node");
  command.add_option("FOLDER", options->folder, "new, or an earlier backup to bring up to date")
      ->required()
      ->type_name("");
  command.add_option("--data", options->data, "the data folder of the node (/var/lib/subito)")
      ->type_name("FOLDER");
  command.callback([&session, options] {
    session.action = [&session, options] { return backup(session, *options); };
  });
}

void add_restore(CLI::App& app, Session& session) {
  auto options = std::make_shared<BackupOptions>();
  CLI::App& command = *app.add_subcommand(
      "restore", "Check a backup and put it back, while no node runs: restore FOLDER");
  command.group("Node");
  command.add_option("FOLDER", options->folder, "the backup")->required()->type_name("");
  command.add_option("--data", options->data, "the data folder of the node (/var/lib/subito)")
      ->type_name("FOLDER");
  command.add_flag("--replace", options->replace,
                   "forget what is there: functions, tokens, config, secrets, namespaces");
  command.callback([&session, options] {
    session.action = [&session, options] { return restore(session, *options); };
  });
}

}  // namespace subito::cli
