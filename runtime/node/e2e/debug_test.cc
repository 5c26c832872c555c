// `subito debug` with a real pod: programs of the host in its namespaces, and their end.
#include <gmock/gmock.h>

#include <unistd.h>
#include <algorithm>

#include <filesystem>
#include <sstream>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;

class DebugTest : public NodeTest {
 protected:
  void SetUp() override {
    NodeTest::SetUp();
    if (IsSkipped()) return;
    node.deploy("echo", "echo", "scaling: {min: 1, max: 1}");
    Json pods;
    ASSERT_TRUE(eventually([&] {  // the pod that checked the deploy is gone
      pods = node.pod_list();
      return pods.size() == 1 && pods[0].at("state") == "idle" && pods[0].at("hostPid") > 0;
    })) << pods.dump();
    pod_ = pods[0].at("name");
    host_pid_ = pods[0].at("hostPid");
  }

  std::vector<std::string> debug(std::vector<std::string> command) const {
    std::vector<std::string> all = {subito_binary(), "--socket", node.socket(),
                                    "debug",         pod_,       "--"};
    all.insert(all.end(), command.begin(), command.end());
    return all;
  }

  static std::string namespace_of(const std::string& process, const std::string& kind) {
    return std::filesystem::read_symlink("/proc/" + process + "/ns/" + kind).string();
  }

  // `subito debug POD -- sleep`, once the sleep runs: its process as seen from here.
  pid_t sleeper_of(const Child& visit) const {
    pid_t sleeper = 0;
    EXPECT_TRUE(eventually([&] {
      const auto children = children_of(visit.pid());
      if (children.empty()) return false;
      sleeper = children[0];
      return executable_of(sleeper).find("sleep") != std::string::npos ||
             executable_of(sleeper).find("coreutils") != std::string::npos ||
             executable_of(sleeper).find("busybox") != std::string::npos;
    }));
    return sleeper;
  }

  std::string out_file() const { return node.data() + "/../debug-out"; }
  std::string err_file() const { return node.data() + "/../debug-err"; }

  std::string pod_;
  pid_t host_pid_ = 0;
};

TEST_F(DebugTest, RunsAProgramOfTheHostInThePodsNamespaces) {
  const Ran ran = run_program(debug({"sh", "-c",
                                     "for kind in pid net ipc uts cgroup user mnt; do "
                                     "readlink /proc/self/ns/$kind; done; hostname"}));
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  std::istringstream lines(ran.out);
  std::string line;
  const std::string pod = std::to_string(host_pid_);
  for (const char* kind : {"pid", "net", "ipc", "uts", "cgroup"}) {
    std::getline(lines, line);
    EXPECT_EQ(line, namespace_of(pod, kind));
    EXPECT_NE(line, namespace_of("self", kind));
  }
  std::getline(lines, line);
  EXPECT_EQ(line, namespace_of("self", "user")) << "it stays root of the host";
  std::getline(lines, line);
  EXPECT_NE(line, namespace_of("self", "mnt"));
  EXPECT_NE(line, namespace_of(pod, "mnt"));
  std::getline(lines, line);
  EXPECT_EQ(line, "pod");
}

TEST_F(DebugTest, ShowsTheProcessesAndFilesOfThePodAndNoOthers) {
  const Ran ran = run_program(debug({"sh", "-c", "cat /proc/1/comm; ls /proc/1/root; ls /proc"}));
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("\ntmp\n")) << "the pod's root";
  EXPECT_THAT(ran.out, Not(HasSubstr("\netc\n"))) << "not the host's";
  EXPECT_THAT(ran.out, HasSubstr("\n1\n"));
  EXPECT_THAT(ran.out, Not(HasSubstr("\n" + std::to_string(node.pid()) + "\n")));
}

TEST_F(DebugTest, EndsAsItsProgramDoesAndLeavesThePodAlone) {
  EXPECT_EQ(run_program(debug({"sh", "-c", "exit 9"})).exit_code, 9);
  EXPECT_EQ(run_program(debug({"sh", "-c", "kill -TERM $$"})).exit_code, 128 + SIGTERM);
  const Ran missing = run_program(debug({"/nonexistent/tool"}));
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.err, HasSubstr("debug " + pod_ + ": run /nonexistent/tool: No such file"));
  EXPECT_EQ(node.client().get("/function/echo").status, 200);
  EXPECT_EQ(node.pod_list().at(0).at("name"), pod_);
}

TEST_F(DebugTest, EndsWithThePod) {
  Child visit(debug({"sleep", "1000"}), out_file(), err_file());
  sleeper_of(visit);
  ::kill(host_pid_, SIGKILL);
  EXPECT_EQ(visit.wait(), 128 + SIGKILL);
  EXPECT_THAT(read_file(err_file()), HasSubstr(pod_ + " ended, and this with it"));
  EXPECT_TRUE(eventually([&] { return node.events("echo").find("SIGKILL") != std::string::npos; }));
}

TEST_F(DebugTest, EndsWithWhoeverAskedForIt) {
  Child visit(debug({"sleep", "1000"}), out_file(), err_file());
  const pid_t sleeper = sleeper_of(visit);
  visit.signal(SIGKILL);
  EXPECT_EQ(visit.wait(), 128 + SIGKILL);
  EXPECT_TRUE(eventually([&] {
    reap_orphans();  // as the host's init does: a pod does not end before all in it are reaped
    return ::kill(sleeper, 0) != 0;
  }));
  EXPECT_EQ(node.client().get("/function/echo").status, 200);
}

TEST_F(DebugTest, RefusesAPodThatIsAsleep) {
  node.deploy("idle", "echo", "scaling: {idle: 50ms}");
  EXPECT_TRUE(eventually([&] {  // also the pod of the check is gone
    const Json pods = node.pod_list();
    return std::none_of(pods.begin(), pods.end(),
                        [](const Json& pod) { return pod.at("function") == "idle"; });
  }));
  const Ran ran = node.cli({"debug", "idle-1"});
  EXPECT_EQ(ran.exit_code, 3);
  EXPECT_THAT(ran.err, HasSubstr("idle has no pod: wake it with `subito invoke idle`"));
}

}  // namespace
}  // namespace subito::e2e
