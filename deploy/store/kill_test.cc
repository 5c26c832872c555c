// Deploy is atomic: a process that deploys all the time, splits traffic and undoes, is killed at
// any moment, 200 times over the same data folder. Each time the store opens with the old state or
// the new one, never between, and with everything that was acknowledged.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include <random>
#include <set>

#include "deploy/store/store_testing.h"

namespace subito::store {
namespace {

constexpr int kKills = 200;
constexpr int kFunctions = 3;
constexpr int kFirstDeployMs = 5000;  // a child that needs longer is killed without one

std::string name_of(int i) {
  return "function-" + std::to_string(i);
}

// Traffic to the last two, then back to the one before: revisions are forgotten meanwhile.
bool split_and_undo(Store& store, const std::string& name) {
  auto serving = store.serving(name);
  if (!serving || serving->previous == 0) return bool{serving};
  const auto current = store.revision(name, serving->current);
  if (!current || !store.revision(name, serving->previous)) return bool{current};
  Serving split = *serving;
  split.shares = {{serving->current, 90}, {serving->previous, 10}};
  if (!store.set_serving(name, split)) return false;
  std::swap(serving->current, serving->previous);
  return bool{store.set_serving(name, *serving)};
}

// Deploys marker after marker until it is killed, telling each that was acknowledged.
[[noreturn]] void deploy_for_ever(const std::string& folder, int first, int acknowledge_fd) {
  auto store = Store::open(folder);
  if (!store) ::_exit(1);
  for (int marker = first;; ++marker) {
    const std::string text = std::to_string(marker);
    auto writer = (*store)->begin_artefact();
    if (!writer || !writer->write(text)) ::_exit(2);
    const auto hash = writer->finish("");
    if (!hash) ::_exit(3);
    const std::string name = name_of(marker % kFunctions);
    if (marker % 17 == 0) (void)(*store)->remove_function(name);
    manifest::Function deployed = function(name, text);
    deployed.mutable_spec()->mutable_rollout()->set_revisions_kept(1 + marker % 3);
    const auto candidate = (*store)->prepare(deployed, *hash);
    if (!candidate || !(*store)->commit(*candidate)) ::_exit(4);
    if (::write(acknowledge_fd, &marker, sizeof marker) != sizeof marker) ::_exit(5);
    if (marker % 5 == 0 && !split_and_undo(**store, name)) ::_exit(6);
  }
}

// What the store says is whole; returns the newest marker in it, or 0.
int check_invariants(Store& store, const std::string& folder) {
  int newest = 0;
  std::set<std::string> referenced;
  const auto all = store.functions().value();
  for (const FunctionRecord& record : all) {
    EXPECT_TRUE(record.revision.current);
    int current = 0;
    const auto revisions = store.revisions(record.revision.function).value();
    for (const Revision& revision : revisions) {
      current += revision.current ? 1 : 0;
      referenced.insert(revision.artefact);
      const std::string marker = revision.spec.spec().settings().at("marker");
      const auto path = store.artefact_path(revision.artefact);
      EXPECT_TRUE(path) << "revision without its binary";
      if (path) {
        EXPECT_EQ(content(*path), marker) << "spec and binary differ";
      }
      newest = std::max(newest, std::stoi(marker));
    }
    EXPECT_EQ(current, 1);
    const Serving serving = store.serving(record.revision.function).value();
    for (const Share& share : serving.shares)
      EXPECT_TRUE(store.revision(record.revision.function, share.number)) << "traffic to nothing";
  }
  EXPECT_EQ(count_files(folder + "/artefacts"), static_cast<int>(referenced.size()));
  return newest;
}

int last_acknowledged(int fd, int before) {
  int marker = 0;
  while (::read(fd, &marker, sizeof marker) == sizeof marker) before = marker;
  return before;
}

TEST(StoreKill, LeavesTheOldStateOrTheNewOneNeverBetween) {
  TemporaryFolder folder;
  std::mt19937 random(20261123);
  int newest = 0;
  int deployed = 0;
  int waited = 0;  // rounds that saw a deploy before the kill
  for (int kill_count = 0; kill_count < kKills; ++kill_count) {
    int pipe_fds[2];
    ASSERT_EQ(::pipe2(pipe_fds, O_CLOEXEC), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) deploy_for_ever(folder.path(), newest + 1, pipe_fds[1]);
    ::close(pipe_fds[1]);
    // Wait for the first deploy in half of the rounds, so that opening is hit as well as deploying.
    pollfd readable{pipe_fds[0], POLLIN, 0};
    if (random() % 2 == 0) waited += ::poll(&readable, 1, kFirstDeployMs);
    const timespec delay{0, static_cast<long>(random() % 12'000'000)};
    ::nanosleep(&delay, nullptr);
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child failed: " << WEXITSTATUS(status);

    const int acknowledged = last_acknowledged(pipe_fds[0], newest);
    ::close(pipe_fds[0]);
    const auto store = open_or_die(folder.path());
    const int found = check_invariants(*store, folder.path());
    ASSERT_GE(found, acknowledged) << "what was acknowledged is gone";
    ASSERT_LE(found, acknowledged + 1);
    deployed += found - newest;
    newest = found;
    if (HasFailure()) return;
  }
  RecordProperty("deployed", deployed);
  EXPECT_GE(deployed, waited);
  EXPECT_GT(waited, kKills / 4) << "the child hardly ran: nothing was tested";
}

}  // namespace
}  // namespace subito::store
