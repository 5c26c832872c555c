// Config objects and secrets from outside: how functions get them, how a change reaches them, and
// that a known secret is found nowhere else.
#include <gmock/gmock.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <mutex>
#include <thread>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

constexpr char kKnown[] = "correct-horse-battery-staple-4711";

class SettingsE2e : public NodeTest {
 protected:
  std::string folder() const { return fs::path(node.data()).parent_path().string(); }
  std::string key_file() const { return node.data() + ".secret.key"; }

  // From a file, which is gone then: a value is on no command line.
  void set_secret(const std::string& name, const std::string& key, const std::string& value) {
    const std::string file = folder() + "/value";
    write_file(file, value);
    const Ran set = node.cli({"secret", "set", name, key, "--from-file", file});
    fs::remove(file);
    ASSERT_EQ(set.exit_code, 0) << set.err;
  }
  HttpResponse get(const std::string& path) const {
    return node.client().get("/function/probe" + path);
  }

  void expect_given(const std::string& start) {
    SCOPED_TRACE(start);
    node.deploy(
        "probe", "probe",
        "start: " + start +
            "\nsettings: {rate: \"2\"}\nconfig: [{name: shop}]\nsecrets:\n"
            "  - {name: bank}\n  - {name: bank, as: env, env: BANK_KEY}\n"
            "  - {name: bank, as: file}\n  - {name: bank, key: pem, as: file, path: /tmp/a/b}");
    EXPECT_EQ(get("/setting/currency").body, "GBP");
    EXPECT_EQ(get("/setting/rate").body, "2") << "the function's own goes before it";
    EXPECT_EQ(get("/secret/bank/value").body, kKnown);
    EXPECT_EQ(get("/secret/bank/pem").body.size(), 1'000'000U);
    EXPECT_EQ(get("/secret/bank/none").status, 404);
    EXPECT_EQ(get("/environment/BANK_KEY").body, kKnown);
    EXPECT_EQ(get("/file/secrets/bank/value").body, std::string("400 ") + kKnown);
    EXPECT_EQ(get("/file/a/b/pem").body.size(), 1'000'004U);
  }
};

TEST_F(SettingsE2e, AFunctionHasWhatItListsAsValueVariableAndFileHoweverItStarts) {
  ASSERT_EQ(node.cli({"config", "set", "shop", "currency=GBP", "rate=1"}).exit_code, 0);
  set_secret("bank", "value", kKnown);
  set_secret("bank", "pem", std::string(1'000'000, 'p'));
  for (const char* start : {"pooled", "fresh", "template"}) expect_given(start);
  EXPECT_THAT(get("/secret/bank/value").field("server-timing"), Not(HasSubstr("pooled")));
}

TEST_F(SettingsE2e, ADeployWithoutWhatItListsIsRefusedWithWhatToDo) {
  const Ran refused = node.try_deploy("probe", function_binary("probe"), "secrets: [{name: bank}]");
  EXPECT_EQ(refused.exit_code, 5);
  EXPECT_THAT(refused.err, HasSubstr("there is no secret bank; `subito secret set bank`"));
  set_secret("bank", "value", kKnown);
  node.deploy("probe", "probe", "secrets: [{name: bank}]");
  const Ran kept = node.cli({"secret", "delete", "bank"});
  EXPECT_EQ(kept.exit_code, 1);
  EXPECT_THAT(kept.err, HasSubstr("in use by probe"));
  ASSERT_EQ(node.cli({"secret", "delete", "bank", "--force"}).exit_code, 0);
  EXPECT_EQ(get("/seen").status, 503);
  EXPECT_THAT(node.events("probe"), HasSubstr("there is no secret bank"));
}

TEST_F(SettingsE2e, AChangeUnderLoadLosesNoAnswerAndArrives) {
  constexpr int kChanges = 20;
  set_secret("bank", "value", "0");
  node.deploy("probe", "probe", "scaling: {min: 2, max: 4}\nsecrets: [{name: bank}]");
  std::atomic<bool> done = false;
  std::atomic<int> good = 0;
  std::mutex mutex;
  std::map<std::string, int> bad;
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      HttpClient client = node.client(seconds(60));
      while (!done) {
        const HttpResponse answer = client.get("/function/probe/secret/bank/value");
        if (answer.status == 200 && answer.whole()) {
          ++good;
          continue;
        }
        const std::lock_guard lock(mutex);
        ++bad[std::to_string(answer.status) + " " + answer.error + " " + answer.body];
        client = node.client(seconds(60));
      }
    });
  }
  for (int i = 1; i <= kChanges; ++i) {
    set_secret("bank", "value", std::to_string(i));
    EXPECT_TRUE(eventually([&] { return get("/secret/bank/value").body == std::to_string(i); }));
  }
  done = true;
  for (std::thread& client : clients) client.join();
  for (const auto& [answer, count] : bad) ADD_FAILURE() << count << " x " << answer;
  std::printf("%d changes, %d calls\n", kChanges, good.load());
  EXPECT_GT(good.load(), kChanges);
}

TEST_F(SettingsE2e, TheKeyIsBesideTheDataAndSecretsComeBackOnlyWithIt) {
  set_secret("bank", "value", kKnown);
  node.deploy("probe", "probe", "secrets: [{name: bank}]");
  node.deploy("echo", "echo");
  ASSERT_TRUE(fs::exists(key_file()));
  EXPECT_EQ(fs::status(key_file()).permissions(), fs::perms::owner_read);
  EXPECT_EQ(node.cli({"secret", "rotate-key"}).exit_code, 0);
  ASSERT_EQ(node.stop(), 0);
  fs::rename(key_file(), key_file() + ".away");
  node.start();
  EXPECT_EQ(get("/secret/bank/value").status, 503);
  EXPECT_EQ(node.client().post("/function/echo", "x").status, 200);
  EXPECT_THAT(node.output(), HasSubstr("secrets cannot be opened"));
  EXPECT_THAT(node.cli({"secret", "set", "bank", "--from-file", "/etc/hostname"}).err,
              HasSubstr("secrets cannot be opened"));
  EXPECT_FALSE(fs::exists(key_file()));
  ASSERT_EQ(node.stop(), 0);
  fs::rename(key_file() + ".away", key_file());
  node.start();
  EXPECT_EQ(get("/secret/bank/value").body, kKnown);
}

// Everything that is told, kept or listed while a known secret is in use.
class KnownSecret : public SettingsE2e {
 protected:
  void SetUp() override {
    SettingsE2e::SetUp();
    if (IsSkipped()) return;
    set_secret("bank", "value", kKnown);
    node.deploy("probe", "probe",
                "scaling: {min: 1}\nsecrets:\n  - {name: bank}\n"
                "  - {name: bank, as: env, env: BANK_KEY}\n  - {name: bank, as: file}");
    EXPECT_EQ(get("/secret/bank/value").body, kKnown);
    EXPECT_EQ(node.client().post("/function/probe/abort", "").status, 502);
    ASSERT_TRUE(
        eventually([&] { return node.events("probe").find("Crash") != std::string::npos; }));
    EXPECT_EQ(get("/secret/bank/value").body, kKnown);
  }
  static void expect_none(const std::string& text, const std::string& where) {
    EXPECT_EQ(text.find(kKnown), std::string::npos) << where;
  }
  std::string ask(const std::string& path) const {
    return run_program({"/usr/bin/curl", "-s", "-m", "2", "--unix-socket", node.socket(),
                        "http://subito" + path})
        .out;
  }
};

TEST_F(KnownSecret, IsInNoFileOfTheNode) {
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder())) {
    if (!entry.is_regular_file()) continue;
    expect_none(read_file(entry.path()), entry.path());
    ++files;
  }
  EXPECT_GT(files, 5);
  expect_none(node.output(), "what the node said");
  ASSERT_EQ(node.stop(), 0);
  for (const auto& entry : fs::recursive_directory_iterator(folder())) {
    if (entry.is_regular_file()) expect_none(read_file(entry.path()), entry.path());
  }
}

TEST_F(KnownSecret, IsInNoAnswerOfTheApi) {
  // Every path that openapi.yaml has, with names that there are.
  const std::string file = read_file(SUBITO_SOURCE_DIR "/deploy/api/openapi.yaml");
  int asked = 0;
  for (std::size_t at = 0; (at = file.find("\n  /v1/", at)) != std::string::npos; ++at) {
    const std::size_t end = file.find(':', at);
    std::string path = file.substr(at + 3, end - at - 3);
    const bool secret = path.rfind("/v1/secrets", 0) == 0;
    for (const auto& [name, value] :
         std::map<std::string, std::string>{{"{name}", secret ? "bank" : "probe"},
                                            {"{key}", "value"},
                                            {"{number}", "1"},
                                            {"{sha256}", std::string(64, '0')}}) {
      if (const auto found = path.find(name); found != std::string::npos)
        path.replace(found, name.size(), value);
    }
    const std::string answer = ask(path);
    EXPECT_FALSE(answer.empty() && path.find("watch") == std::string::npos &&
                 path.find("requests") == std::string::npos)
        << path;
    expect_none(answer, path);
    ++asked;
  }
  EXPECT_GT(asked, 20);
  expect_none(ask("/metrics"), "/metrics");
}

TEST_F(KnownSecret, IsInNothingThatTheCommandLineShows) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"describe", "probe"},
                                             {"describe", "probe", "-o", "json"},
                                             {"get", "functions", "-o", "json"},
                                             {"get", "revisions", "probe"},
                                             {"get", "pods", "-o", "json"},
                                             {"get", "exceptions"},
                                             {"logs", "probe"},
                                             {"secret", "list"},
                                             {"secret", "list", "-o", "json"},
                                             {"rollout", "history", "probe", "--revision", "1"}}) {
    const Ran ran = node.cli(words);
    expect_none(ran.out + ran.err, words[0] + " " + words[1]);
  }
}

TEST_F(KnownSecret, IsOnNoCommandLineAndInThePodsEnvironmentForRootAlone) {
  int seen = 0;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    expect_none(read_file(entry.path() / "cmdline"), entry.path());
    ++seen;
  }
  EXPECT_GT(seen, 3);
  expect_none(read_file("/proc/" + std::to_string(node.pid()) + "/environ"), "the node");
  expect_none(read_file("/proc/" + std::to_string(node.launcher()) + "/environ"), "the launcher");
  ASSERT_EQ(node.pods().size(), 1U);
  const std::string environ = "/proc/" + std::to_string(node.pods()[0]) + "/environ";
  EXPECT_THAT(read_file(environ), HasSubstr(kKnown)) << "docs/config.md says that root sees it";
  EXPECT_EQ(fs::status(environ).permissions(), fs::perms::owner_read);
}

// Of a value that no function has sent to a client: an answer goes through the node.
TEST_F(KnownSecret, IsInNoCoreOfThePodOrTheNode) {
  constexpr char kUnasked[] = "never-told-to-anybody-0815";
  const std::uint64_t before = node.pods_started("probe");
  set_secret("bank", "value", kUnasked);
  ASSERT_TRUE(
      eventually([&] { return node.pods_started("probe") > before && node.pods().size() == 1; }));
  const std::string limits = read_file("/proc/" + std::to_string(node.pods()[0]) + "/limits");
  EXPECT_NE(limits.find("Max core file size        1                    1"), std::string::npos)
      << limits;
  if (::access("/usr/bin/gcore", X_OK) != 0) GTEST_SKIP() << "SKIPPED: gdb is not installed";
  // As root, who may read everything: what the kernel is asked to leave out is left out.
  const std::string prefix = folder() + "/core";
  const Ran dumped =
      run_program({"/usr/bin/gcore", "-o", prefix, std::to_string(node.pid())}, seconds(60));
  const std::string core = prefix + "." + std::to_string(node.pid());
  ASSERT_TRUE(fs::exists(core)) << dumped.out << dumped.err;
  const std::string memory = read_file(core);
  EXPECT_NE(memory.find(node.data()), std::string::npos) << "it is no core of the node";
  EXPECT_EQ(memory.find(kUnasked), std::string::npos) << core;
}

}  // namespace
}  // namespace subito::e2e
